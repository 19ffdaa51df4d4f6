"""Limits shared through Redis, and what happens without it."""

from __future__ import annotations

import pytest
from limits import parse
from structlog.testing import capture_logs

from app import create_app
from app.core import limits, migrate
from app.core.errors import TooMany
from app.core.limits import Limiter
from app.organisations import service as organisations
from tests import redis_server
from tests.builders import settings_for, submit

RATE = parse("2/minute")


@pytest.fixture
def redis():
    reason = redis_server.missing()
    if reason:
        pytest.skip(f"Redis half: {reason}")
    server = redis_server.RedisServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def patient(monkeypatch):
    """Ask Redis again at once, so that no test waits."""
    monkeypatch.setattr(limits, "AWAY_SECONDS", 0.0)


def refused(limiter, key="somebody"):
    return limiter.try_once(RATE, key) is not None


def test_two_processes_over_one_redis_count_together(redis):
    one, other = Limiter(redis.url), Limiter(redis.url)

    assert [refused(one), refused(other), refused(one), refused(other)] == [False, False, True, True]


def test_two_processes_without_redis_count_for_themselves():
    one, other = Limiter(), Limiter()

    assert [refused(one), refused(one), refused(one), refused(other)] == [False, False, True, False]


def test_who_must_wait_is_told_how_long(redis):
    limiter = Limiter(redis.url)

    waits = [limiter.try_once(RATE, "somebody") for _ in range(3)]

    assert waits[:2] == [None, None]
    assert 0 < waits[2] <= 60


def test_without_redis_every_process_goes_on_counting_and_says_so_once(redis, patient):
    limiter = Limiter(redis.url)
    refused(limiter)

    redis.stop()
    with capture_logs() as lines:
        answers = [refused(limiter) for _ in range(4)]

    assert answers == [False, False, True, True]
    assert [line["event"] for line in lines] == ["redis_away"]


def test_redis_is_used_again_once_it_is_back(redis, patient):
    one, other = Limiter(redis.url), Limiter(redis.url)
    redis.stop()
    refused(one), refused(other)

    redis.start()
    with capture_logs() as lines:
        answers = [refused(one), refused(other), refused(one)]

    assert answers == [False, False, True]
    assert [line["event"] for line in lines] == ["redis_back", "redis_back"]


def test_what_is_left_is_the_same_for_all_and_each_processes_own_without_redis(redis, patient):
    one, other = Limiter(redis.url), Limiter(redis.url)
    one.try_once(RATE, "somebody")

    together = other.left(RATE, "somebody")[0]
    redis.stop()
    alone = other.left(RATE, "somebody")[0]

    assert (together, alone) == (1, 2)


def test_a_redis_that_is_away_is_not_asked_at_every_request(redis):
    limiter = Limiter(redis.url)
    redis.stop()
    refused(limiter)

    redis.start()
    with capture_logs() as lines:
        answers = [refused(limiter), refused(limiter)]

    assert answers == [False, True]
    assert lines == []


def test_a_redis_behind_a_socket_file_is_accepted():
    limiter = Limiter("unix:///nowhere/redis.sock")

    assert [refused(limiter), refused(limiter), refused(limiter)] == [False, False, True]


def test_a_view_answers_429_with_the_time_to_wait(app, tables):
    with app.app_context():
        limits.hit("1/minute", "view")

        with pytest.raises(TooMany) as refusal:
            limits.hit("1/minute", "view")

    assert 1 <= refusal.value.retry_after_seconds <= 60


@pytest.fixture
def halls(redis, tmp_path):
    """Two web processes of one hall: one database, one Redis."""
    url = f"sqlite:///{tmp_path}/hall.sqlite"
    migrate.upgrade(url)
    made = [create_app(settings_for(url, tmp_path, REDIS_URL=redis.url)) for _ in range(2)]
    yield made
    for app in made:
        app.extensions["hall_db"].dispose()


def test_two_web_processes_share_the_tries_at_signing_in(halls, monkeypatch):
    monkeypatch.setattr(organisations, "ATTEMPTS_PER_ADDRESS", "2/minute")

    answers = [a_try(app) for app in (halls[0], halls[1], halls[0], halls[1])]

    assert [answer.status_code for answer in answers] == [422, 422, 429, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60


def test_people_can_sign_in_while_redis_is_away(halls, redis, monkeypatch):
    monkeypatch.setattr(organisations, "ATTEMPTS_PER_ADDRESS", "2/minute")
    redis.stop()

    answers = [a_try(app) for app in (halls[0], halls[0], halls[0], halls[1])]

    assert [answer.status_code for answer in answers] == [422, 422, 429, 422]


def a_try(app):
    return submit(app.test_client(), "/staff/sign-in", username="nobody", password="wrong password 1")
