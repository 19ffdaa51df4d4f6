import threading
from datetime import timedelta

import pytest

from app.core import audit, db, idempotency
from app.core.errors import Invalid
from app.core.idempotency import Answer, KeyReused
from tests.builders import NOW

KEY = "key-of-a-test"


def counted(done, status=201):
    def work():
        done.append(1)
        audit.record("system", "done", "thing", 1)
        return Answer(status, f'{{"n": {len(done)}}}')

    return work


def ask(work, *, owner="staff:1", key=KEY, request=b"body"):
    return idempotency.answer_once(owner, "test.create", key, request, work, now=NOW)


def test_a_repeated_request_gets_the_first_answer_and_does_nothing(context):
    done = []

    answers = [ask(counted(done)) for _ in range(3)]

    assert answers == [Answer(201, '{"n": 1}')] * 3
    assert len(audit.history("thing", 1)) == 1


def test_another_request_under_the_key_is_refused(context):
    ask(counted([]))

    with pytest.raises(KeyReused):
        ask(counted([]), request=b"other")


def test_keys_of_two_callers_do_not_meet(context):
    done = []

    ask(counted(done))
    ask(counted(done), owner="staff:2", request=b"other")

    assert len(done) == 2


def test_without_a_key_every_request_counts(context):
    done = []

    for _ in range(2):
        ask(counted(done), key=None)

    assert len(done) == 2


@pytest.mark.parametrize("key", ["", "short", "x" * 81, "中文的幂等键一共十个字", "with a space"])
def test_a_malformed_key_is_refused(context, key):
    with pytest.raises(Invalid):
        ask(counted([]), key=key)


def test_a_request_that_was_refused_may_come_again_under_its_key(context):
    def refuse():
        raise Invalid("no")

    with pytest.raises(Invalid):
        ask(refuse)

    assert ask(counted([])).status == 201


def test_requests_at_the_same_moment_do_the_work_once(app, tables):
    done, answers = [], []
    start = threading.Barrier(4)

    def one():
        with app.app_context():
            start.wait()
            answers.append(ask(counted([])))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with app.app_context():
        done = audit.history("thing", 1)
    assert answers == [Answer(201, '{"n": 1}')] * 4
    assert len(done) == 1


def test_old_answers_are_forgotten(context):
    ask(counted([]))

    assert db.transaction(lambda: idempotency.forget_answers(NOW)) == 0
    assert db.transaction(lambda: idempotency.forget_answers(NOW + timedelta(seconds=1))) == 1
