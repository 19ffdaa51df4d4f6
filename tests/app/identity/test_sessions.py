"""Sessions: random, two limits in time, listed and ended by whoever they belong to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.channel_accounts import service as channel_accounts
from app.core import audit, clock, db
from app.core.errors import NotFound
from app.identity import service
from app.identity.domain import SESSIONS_MAX, USED_EVERY
from app.identity.models import ResidentSession
from app.identity.service import Client
from tests.api.walk import HTML
from tests.app.identity.builders import SESSION, a_bearer, a_resident, a_session, rows, signed_in
from tests.builders import NOW

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
IDLE, LASTS = timedelta(hours=2), timedelta(hours=12)


@pytest.fixture
def resident(context):
    return db.transaction(a_resident)


def account_of(resident_id):
    return channel_accounts.get(service.bindings(resident_id)[0].account_id)


def opened(resident_id, **details):
    return db.transaction(lambda: a_session(resident_id, now=NOW, **details))


def test_a_session_is_known_by_its_secret_of_which_only_a_digest_is_kept(resident):
    session = opened(resident)

    found = service.find_session(session.token, now=NOW)

    assert (found.id, found.level, found.actor) == (resident, 1, f"resident:{resident}")
    assert len(session.token) == 45
    kept = db.session().scalars(select(ResidentSession.digest)).one()
    assert session.token[2:] not in kept


@pytest.mark.parametrize(
    ("used_after", "asked_after", "alive"),
    [
        pytest.param(timedelta(), IDLE - timedelta(seconds=1), True, id="just before it was idle too long"),
        pytest.param(timedelta(), IDLE, False, id="idle too long"),
        pytest.param(LASTS - timedelta(hours=1), LASTS - timedelta(seconds=1), True, id="in its last second"),
        pytest.param(LASTS - timedelta(hours=1), LASTS, False, id="used all the time, but over"),
    ],
)
def test_a_session_ends_by_itself(resident, used_after, asked_after, alive):
    session = opened(resident)
    db.transaction(lambda: service.touch_session(session.id, now=NOW + used_after))

    found = service.find_session(session.token, now=NOW + asked_after)

    assert (found is not None) == alive
    assert (service.sessions(resident, now=NOW + asked_after) != []) == alive


@on_sqlite
def test_the_last_use_is_written_once_a_minute_at_most(resident):
    session = opened(resident)

    due = [
        service.find_session(session.token, now=NOW + after).touch_due for after in (timedelta(), USED_EVERY)
    ]

    assert due == [False, True]


@on_sqlite
def test_using_a_session_is_written_down(app, given, client):
    resident_id = given(a_resident)
    early = clock.system_clock() - timedelta(minutes=5)
    session = given(a_session, resident_id, now=early)
    client.set_cookie(SESSION, session.token)

    client.get("/me", headers=HTML)

    with app.app_context():
        assert service.sessions(resident_id, now=clock.system_clock())[0].used_at > early


@on_sqlite
@pytest.mark.parametrize(
    "token", ["", "r_", "w_" + "a" * 43, "w_" + "é" * 43, "x" * 9000, "r_\x00", "\ud800" * 45]
)
def test_what_is_no_session_is_nobody(resident, token):
    opened(resident)

    assert service.find_session(token, now=NOW) is None


@on_sqlite
def test_a_cookies_secret_is_no_bearer_token_and_the_other_way_round(client, given):
    resident_id = given(a_resident)
    cookie, bearer = given(a_session, resident_id), given(a_session, resident_id, for_cookie=False)

    by_bearer = client.get("/api/v1/my", headers={"Authorization": f"Bearer {cookie.token}"})
    client.set_cookie(SESSION, bearer.token)
    by_cookie = client.get("/me", headers=HTML)

    assert (by_bearer.status_code, by_cookie.location) == (401, "/me/sign-in?return_to=/me")


def test_one_session_is_ended_by_its_owner_only(resident):
    session, other = opened(resident), opened(resident)
    stranger = db.transaction(lambda: a_resident(account_of(resident), subject="oStranger"))

    with pytest.raises(NotFound):
        db.transaction(lambda: service.end_session(stranger, session.id))
    db.transaction(lambda: service.end_session(resident, session.id))

    assert [one.id for one in service.sessions(resident, now=NOW)] == [other.id]


def test_all_sessions_are_ended_at_once(resident):
    for client in Client:
        opened(resident, client=client)

    ended = db.transaction(lambda: service.end_all_sessions(resident))

    assert (ended, service.sessions(resident, now=NOW)) == (len(Client), [])


@on_sqlite
def test_the_session_used_longest_ago_makes_room(resident):
    first = opened(resident)
    for minute in range(1, SESSIONS_MAX + 1):
        at = NOW + timedelta(minutes=minute)
        db.transaction(lambda at=at: a_session(resident, now=at))

    assert rows(ResidentSession) == SESSIONS_MAX
    assert service.find_session(first.token, now=NOW) is None


@on_sqlite
def test_what_is_over_is_deleted(resident):
    opened(resident)

    kept = db.transaction(lambda: service.forget_expired(NOW + LASTS - timedelta(seconds=1)))
    gone = db.transaction(lambda: service.forget_expired(NOW + LASTS + timedelta(seconds=1)))

    assert (kept, gone, rows(ResidentSession)) == (0, 1, 0)


@on_sqlite
def test_every_sign_in_and_sign_out_is_on_record(resident):
    session = opened(resident)
    db.transaction(lambda: service.end_session(resident, session.id))
    db.transaction(lambda: service.end_all_sessions(resident))

    said = [line.action for line in audit.history("resident", resident)]

    assert said[:3] == ["resident.sign-out-everywhere", "resident.sign-out", "resident.sign-in"]


@on_sqlite
def test_a_resident_sees_on_the_api_where_they_are_signed_in_and_ends_it(app, client, given):
    resident_id = given(a_resident)
    elsewhere, bearer = given(a_session, resident_id), given(a_bearer, resident_id)

    listed = client.get("/api/v1/my/sessions", headers=bearer).json
    ended = client.delete(f"/api/v1/my/sessions/{elsewhere.id}", headers=bearer)
    left = client.get("/api/v1/my/sessions", headers=bearer).json

    assert sorted((one["client"], one["current"]) for one in listed) == [
        ("wechat", False),
        ("wechat_mini", True),
    ]
    assert (ended.status_code, [one["current"] for one in left]) == (204, [True])


@on_sqlite
def test_signing_out_everywhere_ends_the_caller_as_well(client, given):
    bearer = given(a_bearer, given(a_resident))

    client.delete("/api/v1/my/sessions", headers=bearer)

    assert client.get("/api/v1/my", headers=bearer).status_code == 401


@on_sqlite
def test_a_browser_that_signs_out_holds_no_secret_any_more(app, given):
    browser = signed_in(app, given, given(a_resident))
    page = browser.get("/me", headers=HTML).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]

    out = browser.post("/me/sign-out", data={"csrf_token": token}, headers=HTML)

    assert (out.status_code, out.location) == (303, "/me/sign-in")
    assert browser.get_cookie(SESSION) is None
    assert browser.get("/me", headers=HTML).location.startswith("/me/sign-in")
