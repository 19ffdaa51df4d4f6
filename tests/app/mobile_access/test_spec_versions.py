"""Versions of the access spec: publishing, judging again without a visit, who is affected."""

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.core import audit, db
from app.core.access import Permission
from app.core.errors import Invalid
from app.core.outbox import JobRow
from app.core.runner import Worker
from app.mobile_access import jobs, service
from app.mobile_access.domain import RENEW_WITHIN
from app.mobile_access.files import artifact_store
from app.mobile_access.judging import judged
from app.mobile_access.models import CheckRun
from app.mobile_access.rechecks import RENEW_JOB, phase_of
from app.mobile_access.service import CheckKind, State
from app.mobile_access.spec_versions import rules_digest
from config.access_spec.versions import PinchZoom, load_versions
from mobile_pages.spec.engine import load_rules
from mobile_pages.spec.outcomes import NOT_COLLECTED, not_run
from tests.app.mobile_access.builders import a_page
from tests.app.mobile_access.judged import (
    TODAY,
    a_new_version,
    a_result,
    a_reviewer,
    a_spec,
    an_online_page,
    checked,
)
from tests.builders import NOW, a_body, a_principal
from tests.mobile_pages.spec.builders import a_fetch, an_artifact

DAY = timedelta(days=1)
NEW_RULE = "MAS-LAY-01"


def publish(given, version="2", *, now=NOW, **changed):
    return given(service.publish_version, a_new_version(version, **changed), actor="staff:1", now=now)


def work(app):
    return Worker(app, app.extensions["hall_jobs"]).drain()


def runs_of(app, page):
    with app.app_context():
        query = db.session().query(CheckRun).filter_by(page_id=page.id).order_by(CheckRun.number)
        return query.all()


def test_the_versions_of_the_release_are_imported_once(app, given):
    counts = [given(service.import_versions, load_versions(), now=NOW) for _ in range(2)]

    with app.app_context():
        known = service.versions()
    assert counts == [1, 0]
    assert (known[0].version, known[0].pinch_zoom, len(known[0].digest)) == ("1", PinchZoom.ALLOW, 64)


def test_a_version_holds_from_its_day_on(app, given):
    given(service.import_versions, load_versions(), now=NOW)
    publish(given, effective_on=TODAY + 3 * DAY)

    with app.app_context():
        days = [service.spec_in_force(today=TODAY + at * DAY).version for at in (0, 2, 3)]
    assert days == ["1", "1", "2"]


def test_versions_are_compared_as_numbers(app, given):
    for version in ("2", "2.9", "10"):
        publish(given, version)

    with app.app_context():
        assert [one.version for one in service.versions()] == ["10", "2.9", "2"]
    with pytest.raises(service.VersionTaken):
        publish(given, "9")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        pytest.param({"version": "zwei"}, "version", id="no number"),
        pytest.param({"version": "2\n"}, "version", id="a line end"),
        pytest.param({"effective_on": TODAY - DAY}, "effective_on", id="yesterday"),
        pytest.param({"grace_days": -1}, "grace_days", id="negative grace"),
        pytest.param({"grace_days": 366}, "grace_days", id="more than a year"),
        pytest.param({"changelog": " "}, "changelog", id="no word"),
        pytest.param({"changelog": "长" * 4001}, "changelog", id="too many words"),
    ],
)
def test_an_unsound_version_is_refused_by_field(given, changed, field):
    with pytest.raises(Invalid) as refused:
        publish(given, **changed)

    assert list(refused.value.fields) == [field]


def test_publishing_judges_every_page_again_without_visiting_it(app, given):
    page = an_online_page(app, given)

    publish(given)
    work(app)

    newest = runs_of(app, page)[-1]
    first = runs_of(app, page)[0]
    assert (newest.kind, newest.spec_version) == (CheckKind.SPEC, "2")
    assert newest.artifact == first.artifact
    assert "规范第 2 版" in newest.because


def test_a_version_to_come_judges_nothing_before_its_day(app, given):
    page = an_online_page(app, given)
    publish(given, effective_on=TODAY + DAY)

    assert given(service.apply_due_version, now=NOW) is None
    assert given(service.apply_due_version, now=NOW + DAY) == "2"
    assert given(service.apply_due_version, now=NOW + DAY) is None

    assert len(runs_of(app, page)) == 1


def test_judging_again_twice_makes_one_check(app, given):
    page = an_online_page(app, given)
    publish(given)

    for _ in range(2):
        with app.app_context():
            jobs.rejudge_pages({"version": "2", "after": "0"})

    assert [run.kind for run in runs_of(app, page)] == [CheckKind.ASKED, CheckKind.SPEC]


def test_many_pages_are_judged_lot_by_lot(app, given, monkeypatch):
    monkeypatch.setattr(jobs, "REJUDGED_AT_ONCE", 2)  # so that five pages are three lots
    body = given(a_body)
    pages = [an_online_page(app, given, body=body) for _ in range(5)]

    publish(given)
    work(app)

    assert [runs_of(app, page)[-1].kind for page in pages] == [CheckKind.SPEC] * 5


def test_a_page_that_newly_fails_under_a_version_has_its_grace_days(app, given):
    page = an_online_page(app, given)
    publish(given, grace_days=10)

    checked(app, given, page, CheckKind.SPEC, "MAS-TRN-01", now=NOW)

    with app.app_context():
        grace = service.open_grace(page.id)
    assert grace.cause is CheckKind.SPEC
    assert grace.until_at - grace.opened_at == 10 * DAY


def test_the_affected_pages_are_listed_in_scope_and_as_csv(app, given):
    publish(given)
    own, other = given(a_body), given(a_body, name="教育厅")
    page = an_online_page(app, given, body=own, name="=cmd")
    checked(app, given, page, CheckKind.SPEC, "MAS-TRN-01", now=NOW)
    with app.app_context():
        db.transaction(lambda: db.writing().query(CheckRun).filter_by(number=2).update({"spec_version": "2"}))
    operator, foreign = (given(a_principal, "department_operator", body=one) for one in (own, other))

    with app.app_context():
        found = service.affected_pages(operator, "2")
        rows = list(csv.reader(io.StringIO(service.affected_table(found).decode("utf-8-sig"))))
        assert service.affected_pages(foreign, "2") == []
    assert found[0].differences.must_broken == ("MAS-TRN-01",)
    assert rows[1][0] == "'=cmd"
    assert rows[1][4] == "MAS-TRN-01"


@pytest.mark.parametrize("damage", ["gone", "of another time"])
def test_an_artifact_that_cannot_be_read_leads_to_a_visit_of_an_online_page(app, given, damage):
    page = an_online_page(app, given)
    store = artifact_store(app.extensions["hall_settings"].var_dir)
    digest = runs_of(app, page)[-1].artifact
    before = store.get(digest)
    path = next(store._folder.rglob(digest))
    path.unlink() if damage == "gone" else path.write_bytes(
        before.replace(b'"schema_version":1', b'"schema_version":0')
    )

    with app.app_context():
        for _ in range(2):
            jobs.rejudge_page({"page_id": str(page.id), "occasion": "spec:2", "because": "测试"})

    path.write_bytes(before)
    (renewal,) = renewals(app)
    given(renew, renewal.payload, now=NOW + DAY)
    assert [run.kind for run in runs_of(app, page)] == [CheckKind.ASKED, CheckKind.RENEW]
    assert "原始数据已清理" in runs_of(app, page)[-1].because


def renewals(app):
    with app.app_context():
        return db.session().query(JobRow).filter_by(name=RENEW_JOB).all()


def renew(payload, *, now):
    since = datetime.fromisoformat(payload["since"])
    service.renew_artifact(
        int(payload["page_id"]), payload["occasion"], payload["because"], since=since, now=now
    )


def test_what_an_old_artifact_does_not_hold_is_said_and_collected_later(app, given, old_artifact):
    page = old_artifact

    with app.app_context():
        for _ in range(2):
            jobs.rejudge_page({"page_id": str(page.id), "occasion": "spec:2", "because": "规范第 2 版生效"})

    newest = runs_of(app, page)[-1]
    rule = next(one for one in newest.report["rules"] if one["code"] == NEW_RULE)
    (renewal,) = renewals(app)
    assert rule["reason"].startswith(f"{NOT_COLLECTED}（2016-12-01）")
    assert newest.because == "规范第 2 版生效；1 条上次没有采集，重新访问后才能判定"
    assert renewal.run_at - renewal.created_at < RENEW_WITHIN


def test_a_page_visited_meanwhile_is_not_visited_once_more(app, given, old_artifact):
    with app.app_context():
        jobs.rejudge_page({"page_id": str(old_artifact.id), "occasion": "spec:2", "because": "测试"})
    (renewal,) = renewals(app)
    later = datetime.fromisoformat(renewal.payload["since"]) + timedelta(hours=1)
    checked(app, given, old_artifact, CheckKind.WEEKLY, now=later)

    given(renew, renewal.payload, now=later + timedelta(hours=1))

    assert runs_of(app, old_artifact)[-1].kind is CheckKind.WEEKLY


def test_visits_that_collect_anew_are_spread_over_the_day():
    moments = {phase_of(page_id, RENEW_WITHIN) // timedelta(hours=1) for page_id in range(500)}

    assert moments == set(range(24))


@pytest.fixture
def old_artifact(app, given, monkeypatch):
    """An online page under rules of which one asks for what its artifact does not hold."""
    page = an_online_page(app, given)
    known = load_rules()
    key = next(key for key, one in known.items() if one.rule.code == NEW_RULE)
    asks = replace(known[key].rule, judge=lambda artifact, profile: not_run("这次采集还没有量"))
    newer = {**known, key: replace(known[key], rule=asks)}
    monkeypatch.setattr("app.mobile_access.judging.load_rules", lambda: newer)  # a later release
    return page


def test_a_page_under_check_is_left_to_that_check(app, given):
    page = given(a_page, state=State.CHECKING)

    with app.app_context():
        assert service.rejudge_source(page.id) is None


def test_a_check_judged_under_the_version_before_is_judged_again(app, given):
    page = given(a_page, state=State.CHECKING)
    result = a_result(app)
    publish(given)
    given(lambda: service.record_check(runs_of(app, page)[0].id, result, now=NOW))

    work(app)

    assert [run.spec_version for run in runs_of(app, page)] == ["1", "2"]


def test_the_switch_decides_whether_forbidding_zoom_fails():
    html = '<meta name="viewport" content="width=device-width,user-scalable=no">'
    artifact = an_artifact(entry=a_fetch(f"<!doctype html>{html}"))

    said = {zoom: judged(artifact, "", a_spec(pinch_zoom=zoom), ()).report["rules"] for zoom in PinchZoom}

    verdicts = {
        zoom: next(rule["verdict"] for rule in rules if rule["code"] == "MAS-LAY-03")
        for zoom, rules in said.items()
    }
    assert verdicts == {PinchZoom.ALLOW: "fail", PinchZoom.FORBID: "not_applicable"}


def test_the_digest_tells_the_switch():
    assert rules_digest(PinchZoom.ALLOW) != rules_digest(PinchZoom.FORBID)


def test_only_the_province_publishes(given):
    assert given(a_reviewer).may(Permission.SPEC_MANAGE)
    assert not given(a_principal, "department_operator").may(Permission.SPEC_MANAGE)


def test_the_command_publishes_and_says_what_is_wrong(app, tables):
    run = app.test_cli_runner().invoke

    done = run(args=["spec", "publish", "2", "--changelog", "加一条"])
    again = run(args=["spec", "publish", "2", "--changelog", "加一条"])
    listed = run(args=["spec", "list"])

    assert (done.exit_code, again.exit_code) == (0, 1)
    assert "大于" in again.output
    assert "* 2 " in listed.output


def test_publishing_leaves_an_audit_line(app, given):
    publish(given)

    with app.app_context():
        assert audit.recent(limit=1)[0].action == "spec_version.publish"
