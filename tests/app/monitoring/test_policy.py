"""Versions of the rules: which hold where, who may make them, two people at once, what they would do."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.core import audit, db
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from app.monitoring import policy, policy_effects
from app.monitoring.models import WatchPolicy
from app.monitoring.rules import CITY_DEFAULT, Rules
from tests.app.monitoring.builders import looks, seen, tell
from tests.builders import NOW, a_body, a_principal

HOUR = timedelta(hours=1)
CITY = "440100"


def proposed(stated, *, by=None, city="", base=0, now=NOW, **details):
    details = {"reason": "测试", "effective_at": None} | details
    return policy.propose(by or watcher(), city, stated, base_number=base, now=now, **details)


def made(stated, *, by=None, city="", base=0, now=NOW, **details):
    by = by or watcher()
    found = proposed(stated, by=by, city=city, base=base, now=now, **details)
    db.writing().get_one(policy.PolicyDraft, found.id).effect = EMPTY
    db.writing().flush()
    return policy.confirm(by, found.id, now=now)


def watcher():
    return a_principal("province_watch")


def city_operator():
    a_body("广州市", CITY)
    return a_principal("city_operator", region_code=CITY)


_COUNTS = dict.fromkeys(("incidents", "flapping", "down_minutes", "slow_minutes", "hidden"), 0)
_COUNTS |= dict.fromkeys(("told_contact", "told_body", "told_province"), 0)
_PART = {"start": NOW.isoformat(), "end": NOW.isoformat(), "before": _COUNTS, "after": _COUNTS}
EMPTY = {
    "replayed": _PART | {"checks": 0, "of_checks": 0},
    "estimated": _PART | {"checks": 0, "of_checks": 0},
    "examples": [],
    "notes": [],
}


def rules(city=None, now=NOW):
    return policy.rules_for(city, now)


def test_without_a_policy_the_installation_says_how_to_watch(context):
    assert rules() == Rules()
    assert policy.book(NOW).city_may == CITY_DEFAULT


def test_a_version_holds_from_its_time_on(app, given):
    given(made, {"down_after": 5}, effective_at=NOW + HOUR)

    with app.app_context():
        assert rules(now=NOW).down_after == 3
        assert rules(now=NOW + HOUR).down_after == 5


def test_a_city_states_only_what_differs_and_follows_the_province_in_the_rest(app, given):
    given(made, {"grace_seconds": 900}, by=given(city_operator), city=CITY)

    given(made, {"down_after": 5, "grace_seconds": 30})

    with app.app_context():
        assert (rules(CITY).grace_seconds, rules(CITY).down_after) == (900, 5)
        assert rules("440300").grace_seconds == 30


def test_a_citys_rule_is_void_when_the_province_allows_it_no_more(app, given):
    given(made, {"grace_seconds": 900}, by=given(city_operator), city=CITY)

    given(made, {}, city_may=["slow_ms"])

    with app.app_context():
        assert rules(CITY).grace_seconds == 60


def test_a_city_may_not_say_what_an_outage_is(app, given):
    with pytest.raises(Invalid, match="填写有误"):
        given(proposed, {"down_after": 9}, by=given(city_operator), city=CITY)


@pytest.mark.parametrize(
    ("role", "city", "refusal"),
    [
        pytest.param("province_reviewer", "", Forbidden, id="reviewer for the province"),
        pytest.param("department_operator", "", Forbidden, id="department for the province"),
        pytest.param("city_operator", "", Forbidden, id="city for the province"),
        pytest.param("city_operator", "440300", Forbidden, id="city for another"),
        pytest.param("province_watch", "999999", NotFound, id="no such city"),
    ],
)
def test_rules_are_made_by_those_whose_they_are(app, given, role, city, refusal):
    by = given(city_operator) if role == "city_operator" else given(a_principal, role)
    given(a_body, "深圳市", "440300")

    with pytest.raises(refusal):
        given(proposed, {"grace_seconds": 90}, by=by, city=city)


@pytest.mark.parametrize(
    "details",
    [
        pytest.param({"reason": " "}, id="no reason"),
        pytest.param({"effective_at": NOW - HOUR}, id="in the past"),
        pytest.param({"effective_at": NOW + timedelta(days=400)}, id="in another year"),
        pytest.param({"city_may": ["colour"]}, id="no such rule for cities"),
    ],
)
def test_what_is_incomplete_is_refused(given, details):
    with pytest.raises(Invalid):
        given(proposed, {"down_after": 4}, **details)


def test_no_change_is_no_version(given):
    with pytest.raises(Invalid, match="没有改动"):
        given(proposed, {"down_after": 3})


def test_who_wrote_upon_an_older_version_is_told_so(given):
    given(made, {"down_after": 4})

    with pytest.raises(Stale):
        given(proposed, {"down_after": 5}, base=0)


def test_two_drafts_of_the_same_version_make_one(given):
    first, second = given(proposed, {"down_after": 4}), given(proposed, {"down_after": 5})
    given(_reckoned, first.id)
    given(_reckoned, second.id)
    given(lambda: policy.confirm(watcher(), first.id, now=NOW))

    with pytest.raises(Stale):
        given(lambda: policy.confirm(watcher(), second.id, now=NOW))


def _reckoned(draft_id):
    db.writing().get_one(policy.PolicyDraft, draft_id).effect = EMPTY


def test_two_people_in_the_same_moment_make_one(app, given):
    by = given(watcher)
    drafts = [given(proposed, {"down_after": number}, by=by).id for number in (4, 5)]
    for one in drafts:
        given(_reckoned, one)

    def attempt(draft_id):
        try:
            return given(policy.confirm, by, draft_id, now=NOW).number
        except Conflict:
            return None

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(attempt, drafts))

    assert sorted(results, key=str) == [1, None]


def test_nothing_comes_into_force_before_its_effect_was_shown(given):
    found = given(proposed, {"down_after": 4})

    with pytest.raises(Conflict, match="还没有算完"):
        given(lambda: policy.confirm(watcher(), found.id, now=NOW))


def test_a_draft_of_yesterday_must_be_proposed_anew(given):
    found = given(proposed, {"down_after": 4})
    given(_reckoned, found.id)

    with pytest.raises(Conflict, match="超过一天"):
        given(lambda: policy.confirm(watcher(), found.id, now=NOW + 25 * HOUR))


def test_a_version_leaves_one_audit_line_and_tells_what_changed(app, given):
    version = given(made, {"down_after": 4})

    with app.app_context():
        row = db.session().query(WatchPolicy).one()
        (line,) = audit.history("watch_policy", row.id)
        assert (line.action, line.detail["number"], line.detail["reason"]) == ("watch_policy.make", 1, "测试")
        (change,) = policy.changes_between(Rules(), version.rules)
        assert (change.before, change.after) == ("3 次", "4 次")


def test_versions_say_how_they_stand(app, given):
    given(made, {"down_after": 4})
    given(made, {"down_after": 5}, base=1, effective_at=NOW + 9 * HOUR, now=NOW + HOUR)
    given(made, {"down_after": 6}, base=2, now=NOW + 2 * HOUR)

    with app.app_context():
        found = policy.policies("", now=NOW + 3 * HOUR)
        later = policy.policies("", now=NOW + 20 * HOUR)
    assert [(one.number, one.standing) for one in found] == [(3, "current"), (2, "overtaken"), (1, "past")]
    assert [one.standing for one in later] == ["current", "overtaken", "past"]


def test_terms_of_all_bodies_follow_their_city(app, given):
    city, department = given(a_body, "广州市", CITY), given(a_body)
    given(made, {"grace_seconds": 900}, by=given(city_operator), city=CITY)

    with app.app_context():
        terms = policy.terms_of_bodies(NOW)
        assert terms.of(city.id).grace == timedelta(seconds=900)
        assert terms.of(department.id).grace == timedelta(seconds=60)
        assert terms.of(city.id, 300).interval_seconds == 300
        assert policy.terms_for(city.id, NOW) == terms.of(city.id)


def reckoned(app, given, stated, **details):
    found = given(proposed, stated, now=NOW + HOUR, **details)
    with app.app_context():
        policy_effects.reckon(found.id, now=NOW + HOUR)
        return policy.draft(given(watcher), found.id, now=NOW + HOUR).effect


def test_a_longer_row_would_have_opened_fewer_incidents(app, given):
    given(seen, "UUDDDUUU" + "U" * 20, name="甲")
    given(seen, "UUDDDDDUU" + "U" * 20, name="乙")

    effect = reckoned(app, given, {"down_after": 5})

    assert (effect.replayed.before.incidents, effect.replayed.after.incidents) == (2, 1)
    assert (effect.replayed.before.down_minutes, effect.replayed.after.down_minutes) == (8, 5)
    assert [(one.page_name, one.appears) for one in effect.examples] == [("甲", False)]
    assert not effect.replayed.sampled


def test_a_longer_grace_would_have_hidden_fewer_entries(app, given):
    given(seen, "UUDDDUUU")

    effect = reckoned(app, given, {"grace_seconds": 600})

    assert (effect.replayed.before.hidden, effect.replayed.after.hidden) == (1, 0)
    assert effect.replayed.before.incidents == effect.replayed.after.incidents == 1


def test_escalations_follow_the_working_clock(app, given):
    given(seen, "UU" + "D" * 40 + "UU")

    effect = reckoned(app, given, {"escalate_after_minutes": [0, 60, 120]})

    assert (effect.replayed.before.told_body, effect.replayed.after.told_body) == (1, 0)


def test_a_lower_limit_would_have_called_more_looks_slow(app, given):
    page = given(seen, "U")
    given(tell, looks(page.id, "U" * 20, minute=2))

    effect = reckoned(app, given, {"slow_ms": 100, "timeout_seconds": 14})

    assert effect.replayed.of_checks == 1
    assert effect.replayed.after.slow_minutes == effect.replayed.before.slow_minutes == 0


def test_more_checks_than_can_be_gone_through_are_sampled_and_it_says_so(app, given, monkeypatch):
    for name in ("甲", "乙", "丙"):
        given(seen, "UUDDDUUU", name=name)
    monkeypatch.setattr(policy_effects, "REPLAYED_MAX", 1)  # three hundred pages would take minutes

    effect = reckoned(app, given, {"down_after": 5})

    assert (effect.replayed.checks, effect.replayed.of_checks) == (1, 3)
    assert effect.replayed.before.incidents == 3
    assert "推算" in effect.notes[0]


def test_what_is_older_than_the_looks_is_estimated_from_incidents(app, given):
    given(seen, "UUDDDUUU")
    found = given(proposed, {"grace_seconds": 600}, now=NOW + HOUR)

    with app.app_context():
        policy_effects.reckon(found.id, now=NOW + timedelta(days=20))
        effect = policy.draft(given(watcher), found.id, now=NOW + HOUR).effect

    assert effect.replayed.before.incidents == 0
    assert (effect.estimated.before.hidden, effect.estimated.after.hidden) == (1, 0)
