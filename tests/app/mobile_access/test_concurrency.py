import threading

from app.core import audit, db
from app.core.errors import Conflict
from app.mobile_access import service
from app.mobile_access.service import State
from tests.app.mobile_access.builders import a_page
from tests.builders import NOW, a_principal


def all_at_once(app, works):
    """Run each work in a thread and transaction of its own; return results, errors among them."""
    start, results = threading.Barrier(len(works)), [None] * len(works)

    def one(at, work):
        with app.app_context():
            start.wait()
            try:
                results[at] = db.transaction(work)
            except Conflict as refused:
                results[at] = refused

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_reviewers_who_decide_at_once_one_wins(app, given):
    page = given(a_page, state=State.PASSED)
    reviewers = [given(a_principal, "province_reviewer") for _ in range(4)]

    def decide(reviewer, at):
        if at % 2:
            return service.reject(
                reviewer, page.id, ["wechat", "alipay"], "不符", version=page.version, now=NOW
            )
        return service.approve(reviewer, page.id, ["wechat", "alipay"], version=page.version, now=NOW)

    works = [lambda pair=pair: decide(pair[1], pair[0]) for pair in enumerate(reviewers)]
    results = all_at_once(app, works)

    with app.app_context():
        decided = [
            line.action
            for line in audit.history("mobile_page", page.id)
            if line.action in {"mobile_page.approve", "mobile_page.reject"}
        ]
    assert sum(not isinstance(one, Conflict) for one in results) == 1
    assert len(decided) == 1


def test_approving_and_suspending_at_once_leaves_one_true_state(app, given):
    page = given(a_page, state=State.ONLINE)
    reviewers = [given(a_principal, "province_reviewer") for _ in range(3)]

    works = [
        lambda by=by: service.suspend(by, page.id, "维护", version=page.version, now=NOW) for by in reviewers
    ]
    results = all_at_once(app, [*works, lambda: service.probe_failed(page.id, NOW, "timeout")])

    with app.app_context():
        lines = [one for one in reversed(audit.history("mobile_page", page.id)) if "from" in one.detail]
        final = service.get(reviewers[0], page.id)
    assert sum(not isinstance(one, Conflict) and one is not False for one in results) == 1
    assert [one.detail["to"] for one in lines][-1] == final.state
    assert all(a.detail["to"] == b.detail["from"] for a, b in zip(lines, lines[1:], strict=False))
