"""From alerts to messages: who is told, once, together, and of a recovery only after its outage."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.alerts import service
from app.alerts.domain import DeliveryState, Digest
from app.alerts.models import AlertRow, Notice
from app.alerts.service import Audience, Severity, Topic
from app.core import clock, db
from app.core.outbox import JobRow
from tests.app.alerts.builders import (
    LATER,
    an_alert,
    deliveries,
    messages,
    raise_for,
    settings_of,
    told_at,
)
from tests.builders import NOW, a_body, a_principal

MINUTE = timedelta(minutes=1)


@pytest.fixture
def operator(context):
    return db.transaction(lambda: a_principal("department_operator"))


def told(now):
    return [(message.recipient, message.title) for message in told_at(now)]


def test_an_alert_reaches_the_operators_of_its_body_and_nobody_else(operator):
    db.transaction(lambda: a_principal("department_operator", body=a_body("教育厅")))
    db.transaction(lambda: a_principal("province_watch"))

    db.transaction(raise_for)

    assert told(LATER) == [(f"staff:{operator.staff_id}", "【警告】户口办理无法访问")]


@pytest.mark.parametrize(
    ("audience", "roles"),
    [
        pytest.param(Audience.CONTACT, {"county_operator", "city_operator"}, id="nobody at the body itself"),
        pytest.param(Audience.BODY, {"county_operator", "city_operator"}, id="the body and its city"),
        pytest.param(Audience.PROVINCE, {"province_watch"}, id="the province"),
    ],
)
def test_each_level_has_its_own_audience(context, audience, roles):
    known = {}
    for role in ("county_operator", "city_operator", "province_watch", "auditor"):
        known[role] = db.transaction(lambda role=role: a_principal(role)).staff_id
    body = db.transaction(lambda: a_body("天河区", "440106"))

    db.transaction(lambda: raise_for(body, audience=audience))

    assert {recipient for recipient, _ in told(LATER)} == {f"staff:{known[role]}" for role in roles}


def test_cases_that_are_due_concern_the_head_of_the_body_too(operator):
    head = db.transaction(lambda: a_principal("department_head"))
    db.transaction(lambda: a_principal("department_head", body=a_body("教育厅")))

    db.transaction(lambda: raise_for(audience=Audience.BODY, group_key="incident:9"))
    db.transaction(lambda: raise_for(audience=Audience.BODY, topic=Topic.CASES_DUE, group_key="cases:1"))

    both = [f"staff:{operator.staff_id}", f"staff:{head.staff_id}"]
    found = told(LATER)
    assert {who for who, _ in found} == set(both)
    assert [who for who, _ in found].count(both[1]) == 1


def test_a_city_wide_alert_reaches_who_watches_the_city(context):
    here = db.transaction(lambda: a_principal("city_operator", region_code="440100"))
    db.transaction(lambda: a_principal("city_operator", region_code="440300"))

    db.transaction(
        lambda: service.raise_alert(
            an_alert(topic=Topic.SLO_BURN, city_code="440100", audience=Audience.BODY)
        )
    )

    assert [recipient for recipient, _ in told(LATER)] == [f"staff:{here.staff_id}"]


def test_a_storm_of_a_thousand_pages_makes_one_message_for_each(operator):
    watch = db.transaction(lambda: a_principal("province_watch"))

    def storm():
        for number in range(1000):
            level = Audience.PROVINCE if number % 2 else Audience.CONTACT
            raise_for(group_key=f"incident:{number}", title=f"网页 {number} 无法访问", audience=level)

    db.transaction(storm)

    assert {(one.recipient, one.alert_count) for one in told_at(LATER)} == {
        (f"staff:{operator.staff_id}", 500),
        (f"staff:{watch.staff_id}", 500),
    }
    assert {(one.title, len(one.content["items"]), one.content["more"]) for one in messages()} == {
        ("【警告】网页故障 500 个", 10, 490)
    }


def test_a_storm_asks_for_one_job_a_stretch(operator):
    db.transaction(lambda: [raise_for(group_key=f"incident:{number}") for number in range(50)])

    jobs = list(db.session().scalars(select(JobRow).where(JobRow.name == service.GATHER_JOB)))

    assert len(jobs) <= 2  # two where the stretch ended in the middle
    assert all(job.run_at > clock.system_clock() + timedelta(seconds=15) for job in jobs)


def test_the_same_thing_said_often_is_told_once_with_a_count(operator):
    db.transaction(lambda: [raise_for() for _ in range(3)])

    assert [one.title for one in told_at(LATER)] == ["【警告】户口办理无法访问（3 次）"]


def test_a_repetition_waits_for_the_end_of_its_window_and_then_says_how_often(operator):
    db.transaction(raise_for)
    told_at(LATER)

    for minute in (5, 10):
        db.transaction(lambda minute=minute: raise_for(at=NOW + minute * MINUTE))
        told_at(NOW + minute * MINUTE)

    assert len(told_at(LATER + 29 * MINUTE)) == 1
    assert [one.title for one in told_at(LATER + 30 * MINUTE)][1:] == ["【警告】户口办理无法访问（2 次）"]


def test_messages_to_one_person_keep_their_distance(operator):
    db.transaction(raise_for)
    told_at(LATER)

    for second in (30, 60, 90):
        at = NOW + timedelta(seconds=second)
        db.transaction(lambda at=at: raise_for(group_key=f"incident:{at}", at=at))
        told_at(at)

    assert len(messages()) == 1
    assert [one.title for one in told_at(LATER + 2 * MINUTE)][1:] == ["【警告】网页故障 3 个"]


def test_a_recovery_is_told_to_those_who_knew_of_the_outage_even_if_they_want_critical_only(operator):
    db.transaction(lambda: settings_of(operator, min_severity=Severity.CRITICAL, email="a@example.test"))
    db.transaction(lambda: raise_for(severity=Severity.CRITICAL))
    told_at(LATER)

    db.transaction(
        lambda: raise_for(topic=Topic.INCIDENT_RESOLVED, severity=Severity.INFO, title="户口办理已恢复")
    )

    assert [one.title for one in told_at(LATER + 5 * MINUTE)][1:] == ["【通知】户口办理已恢复"]


def test_a_recovery_of_what_nobody_was_told_of_is_told_to_nobody(operator):
    db.transaction(lambda: settings_of(operator, min_severity=Severity.CRITICAL))
    db.transaction(raise_for)
    told_at(LATER)

    db.transaction(lambda: raise_for(topic=Topic.INCIDENT_RESOLVED, severity=Severity.INFO))

    assert told(LATER + 5 * MINUTE) == []


def test_a_recovery_is_kept_from_those_whom_the_outage_never_reached(operator):
    db.transaction(raise_for)
    told_at(LATER)
    assert [one.state for one in deliveries()] == [DeliveryState.SUPPRESSED]

    db.transaction(lambda: raise_for(topic=Topic.INCIDENT_RESOLVED, severity=Severity.INFO))

    assert len(told_at(LATER + 5 * MINUTE)) == 1
    assert "not_told" in {notice.dropped for notice in db.session().scalars(select(Notice))}


def test_an_outage_and_its_end_within_one_digest_are_one_line(operator):
    db.transaction(lambda: settings_of(operator, digest=Digest.HOURLY))
    db.transaction(raise_for)
    db.transaction(lambda: raise_for(topic=Topic.INCIDENT_RESOLVED, at=NOW + MINUTE))
    told_at(LATER)

    (message,) = told_at(NOW + timedelta(hours=1))

    assert [(one["title"], bool(one["recovered_at"])) for one in message.content["items"]] == [
        ("户口办理无法访问", True)
    ]


def test_a_new_outage_after_a_recovery_is_no_repetition(operator):
    db.transaction(lambda: settings_of(operator, email="a@example.test"))
    topics = (Topic.INCIDENT_OPENED, Topic.INCIDENT_RESOLVED, Topic.INCIDENT_OPENED)

    for number, topic in enumerate(topics):
        at = LATER + 3 * number * MINUTE
        db.transaction(lambda topic=topic, at=at: raise_for(topic=topic, at=at))
        told_at(at)

    assert len(messages()) == 3


def test_gathering_twice_tells_nobody_twice(operator):
    db.transaction(raise_for)

    told_at(LATER)
    told_at(LATER + timedelta(minutes=40))

    assert len(messages()) == 1
    assert [notice.dropped for notice in db.session().scalars(select(Notice))] == [None]


def test_an_alert_whose_job_died_is_found(operator):
    db.transaction(raise_for)

    early = service.gather_late(NOW + timedelta(seconds=30))
    found = service.gather_late(NOW + 2 * MINUTE)

    assert (early, found) == (0, 1)


def test_a_notice_whose_job_died_is_asked_for_again(operator):
    db.transaction(raise_for)
    service.gather(LATER)

    asked = service.find_forgotten(LATER + MINUTE)

    assert asked == 1


@pytest.mark.parametrize("wrong", [{"topic": ""}, {"group_key": ""}, {"group_key": "x" * 121}])
def test_an_alert_without_topic_or_group_is_refused(context, wrong):
    with pytest.raises(ValueError, match="1 to"):
        db.transaction(lambda: service.raise_alert(an_alert(**wrong)))


def test_too_long_words_are_cut_not_refused(operator):
    db.transaction(lambda: raise_for(title="长" * 500, text="长" * 5000))

    (row,) = db.session().scalars(select(AlertRow))

    assert (len(row.title), len(row.text)) == (120, 1000)


def test_what_is_old_is_forgotten_with_all_that_hangs_on_it(operator):
    db.transaction(raise_for)
    told_at(LATER)

    db.transaction(lambda: service.forget_old(LATER + MINUTE))

    assert (messages(), deliveries(), list(db.session().scalars(select(AlertRow)))) == ([], [], [])
