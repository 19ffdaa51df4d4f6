"""The callback in two real processes over one database: repeats in one moment, a worker that is killed."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from sqlalchemy import func, select

from app.conversations.models import InboundMessage
from app.core import db
from app.notices.models import Contact
from bench import callbacks
from bench.servers import Server, gunicorn
from tests.app.conversations.senders import an_account
from tests.builders import an_environment
from tests.channels import platform_wechat
from tests.processes import until

TIMES = 25
MESSAGES = 40


@pytest.fixture
def hall(app, given, tmp_path):
    """Two workers over the database of ``app``, which has one account."""
    given(an_account, "wechat", platform_wechat.config())
    url = app.extensions["hall_db"].write_engine.url.render_as_string(hide_password=False)
    environment = an_environment(
        DATABASE_URL=url, HALL_VAR_DIR=str(tmp_path), HALL_TRUSTED_HOSTS="127.0.0.1", HALL_WEB_WORKERS="2"
    )
    with gunicorn("wsgi:application", environment, path="/healthz") as server:
        until(lambda: len(server.pids) == 3, "two workers", 30)
        yield server


def count(app, model):
    with app.app_context():
        return db.session().scalar(select(func.count()).select_from(model))


def wired(server: Server, messages):
    return [callbacks.wire(server.port, message, "wechat") for message in messages]


def test_repeats_in_one_moment_and_a_killed_worker_leave_one_effect_and_one_answer_each(app, hall):
    (same,) = wired(hall, callbacks.messages(1))
    answers = callbacks.at_once(hall.port, same, TIMES)

    assert len(answers) == TIMES
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert (count(app, InboundMessage), count(app, Contact)) == (1, 1)

    batch = wired(hall, callbacks.messages(MESSAGES, first=100))
    killer = threading.Timer(0.15, os.kill, (hall.worker, signal.SIGKILL))
    killer.start()
    first = [attempt(hall.port, request) for request in batch]
    killer.join()
    again = [until(lambda request=one: attempt(hall.port, request), "an answer", 30) for one in batch]

    assert all(before is None or before == after for before, after in zip(first, again, strict=True))
    assert count(app, InboundMessage) == 1 + MESSAGES


def attempt(port, request):
    """Send a message once; None when the worker died over it."""
    try:
        (answer,) = callbacks.send(port, [request], per_second=1000, connections=1)
    except (OSError, RuntimeError):
        return None
    assert answer.status == 200
    return answer.body
