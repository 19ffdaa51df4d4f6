"""What residents are spared and promised: prefilled answers, levels, variants, ends of drafts, new codes."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.applications import retention, service
from app.applications.domain import DRAFT_DAYS, DRAFT_REMINDER_DAYS
from app.applications.models import Application
from app.applications.service import AnswersRefused, Channel, ProgressUnknown, State
from app.core import clock, db, vault
from app.core.clock import day_of
from app.core.errors import Invalid, LevelTooLow
from app.core.runner import Worker
from app.identity import service as identity
from app.notices import service as notices
from tests.api.test_gates import statements
from tests.app.applications.builders import a_case, a_draft, a_resident, an_open_item, row_of, version_of
from tests.app.catalogue.builders import good_answers, valid_id_number
from tests.app.identity.builders import a_bearer, signed_in
from tests.app.identity.people_builders import CHEN, a_person, a_register, set_up
from tests.builders import NOW

MINE = "/api/v1/my/applications"
VARIANTS = [
    {"code": "work", "name": "就业", "when": {"===": [{"var": "ground"}, "work"]}},
    {"code": "first", "name": "首次申领"},
    {"code": "again", "name": "遗失补领", "note": "要交声明"},
]
MATERIALS = [
    {"code": "m1", "name": "身份证", "handings": ["shared"]},
    {"code": "m2", "name": "住所证明", "handings": ["paper", "promise"]},
    {"code": "m3", "name": "遗失声明", "handings": ["paper"], "variants": ["again"]},
    {"code": "m4", "name": "劳动合同", "handings": ["paper", "promise"], "variants": ["work"]},
]
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def register():
    with a_register() as running:
        yield running


@pytest.fixture
def me(given):
    return given(a_resident)


def do(work, *args, **details):
    return db.transaction(lambda: work(*args, **details))


def a_fresh_draft(resident_id, item_id, now=NOW):
    return do(service.start_draft, resident_id, item_id, fresh=True, channel=Channel.WAP, now=now).id


def test_nothing_is_filled_in_before_the_person_asks_and_then_with_its_source(register, app, context):
    do(notices.ensure_standard, now=NOW)
    with set_up(app, register):
        me = a_person(register.provider())
    draft_id = a_fresh_draft(me, do(an_open_item))
    before = service.my_case(me, draft_id)

    done = do(service.prefill, me, draft_id, version=1, now=NOW)

    seen = service.my_case(me, draft_id)
    assert (before.answers, done.filled) == ({}, ["name", "id_number"])
    assert seen.answers["name"] == CHEN[2]
    assert "的实名认证" in seen.sources["name"]["text"]
    assert seen.sources["name"]["on"] == day_of(clock.system_clock()).isoformat()
    assert "姓名、身份证号码" in [one.what for one in identity.uses(me)]


def test_former_answers_to_the_same_questions_are_taken_over_and_say_when_and_where(app, context):
    me, item_id = do(a_resident), do(an_open_item)
    do(a_case, item_id=item_id, resident_id=me)
    draft_id = a_fresh_draft(me, item_id)

    done = do(service.prefill, me, draft_id, version=1, now=NOW + timedelta(days=40))

    seen = service.my_case(me, draft_id)
    assert set(done.filled) == {"name", "id_number", "since", "ground", "employer"}
    assert seen.sources["employer"]["text"] == "来自您 2026年3月的“居住证申领”"
    assert "truthful" not in seen.answers


def test_what_was_typed_is_never_written_over_and_a_changed_answer_is_ones_own(app, context):
    me, item_id = do(a_resident), do(an_open_item)
    do(a_case, item_id=item_id, resident_id=me)
    draft_id = a_fresh_draft(me, item_id)
    do(service.save_draft, me, draft_id, {"name": "改过名"}, version=1, now=NOW)

    done = do(service.prefill, me, draft_id, version=2, now=NOW)
    same = {"ground": "work", "employer": "另一家工厂"}
    do(service.save_draft, me, draft_id, same, version=done.version, now=NOW)

    seen = service.my_case(me, draft_id)
    assert "name" not in done.filled
    assert seen.answers["name"] == "改过名"
    assert set(seen.sources) == {"id_number", "since", "ground"}


def test_the_submission_keeps_the_sources_it_was_made_with(app, context):
    me, item_id = do(a_resident), do(an_open_item)
    do(a_case, item_id=item_id, resident_id=me)
    draft_id = a_fresh_draft(me, item_id)
    version = do(service.prefill, me, draft_id, version=1, now=NOW).version
    rest = {"truthful": True}
    saved = do(service.save_draft, me, draft_id, rest, materials={"m2": "paper"}, version=version, now=NOW)

    do(service.submit, me, draft_id, version=saved.version, now=NOW)

    assert "employer" in service.my_case(me, draft_id).sources


def test_another_persons_draft_is_not_prefilled(client, given, me):
    draft_id, stranger = given(a_draft, None, me), given(a_bearer, given(a_resident))

    answer = client.post(f"{MINE}/{draft_id}/prefill", json={"version": 2}, headers=stranger)

    assert answer.status_code == 404


def test_a_draft_may_be_filled_in_at_a_lower_level_than_it_is_submitted_at(client, given, app, me):
    draft_id = given(a_draft, given(an_open_item, level=2), me)
    bearer = given(a_bearer, me)

    answer = client.post(f"{MINE}/{draft_id}/submit", json={"version": 2}, headers=bearer)
    given(service.submit, me, draft_id, version=2, level=2, now=NOW)

    assert (answer.status_code, answer.get_json()["code"]) == (403, "level_too_low")
    assert answer.get_json()["level_needed"] == 2
    with app.app_context():
        assert service.my_case(me, draft_id).state is State.SUBMITTED


def test_the_page_leads_to_the_check_and_back_with_nothing_lost(app, given, me):
    draft_id = given(a_draft, given(an_open_item, level=2), me)
    browser, page = signed_in(app, given, me), f"/me/applications/{draft_id}/form"
    token = browser.get(page).text.split('name="csrf_token" value="')[1].split('"')[0]
    typed = {"shown": ["employer", "ground"], "employer": "丙厂", "ground": "work", "version": "2"}

    answer = browser.post(page, data={"csrf_token": token, "then": "submit", "key": "k" * 12, **typed})

    assert answer.location.startswith(f"/me/verify?level=2&return_to=/me/applications/{draft_id}/form")
    assert "丙厂" in browser.get(page).text


def test_an_unknown_level_is_refused_in_the_service_too(context):
    me = do(a_resident)
    draft_id = do(a_draft, do(an_open_item, level=3), me)

    with pytest.raises(LevelTooLow):
        do(service.submit, me, draft_id, version=2, level=2, now=NOW)


def test_the_answers_choose_the_variant_else_the_applicant_does_and_materials_follow(context):
    me = do(a_resident)
    draft_id = a_fresh_draft(me, do(an_open_item, variants=VARIANTS, materials=MATERIALS))

    def save(answers, version, **more):
        do(service.save_draft, me, draft_id, answers, version=version, now=NOW, **more)
        seen = service.my_case(me, draft_id)
        return seen.variant, [one.code for one in seen.needed]

    told = save({"ground": "work"}, 1, variant="again")
    open_ = save({"ground": "home"}, 2)
    chosen = save({}, 3, variant="again")

    assert told == ("work", ["m1", "m2", "m4"])
    assert open_ == ("", ["m1", "m2"])
    assert chosen == ("again", ["m1", "m2", "m3"])
    assert row_of(draft_id).materials == {"m1": "shared", "m3": "paper"}


def test_a_variant_that_only_the_applicant_can_tell_is_asked_for(context):
    me = do(a_resident)
    draft_id = a_fresh_draft(me, do(an_open_item, variants=VARIANTS, materials=MATERIALS))
    answers = good_answers(ground="home", employer=None)

    saved = do(service.save_draft, me, draft_id, answers, materials={"m2": "paper"}, version=1, now=NOW)

    assert saved.problems == {"variant": ["请选择您的情形"]}
    with pytest.raises(Invalid):
        do(service.save_draft, me, draft_id, {}, variant="gone", version=2, now=NOW)


def test_a_draft_says_when_it_ends_is_reminded_of_and_forgotten(context):
    me = do(a_resident)
    draft_id = do(a_draft, None, me)
    ends_on = service.my_case(me, draft_id).expires_on
    almost = NOW + timedelta(days=DRAFT_DAYS - DRAFT_REMINDER_DAYS)
    late = NOW + timedelta(days=DRAFT_DAYS + 1)

    early = retention.ending_drafts(day_of(NOW)), retention.ended_drafts(ends_on)
    reminded = [do(retention.remind_of_draft, draft_id, now=almost) for _ in range(2)]
    kept = do(retention.end_draft, draft_id, now=NOW)
    ended = do(retention.end_draft, draft_id, now=late)

    assert ends_on == day_of(NOW) + timedelta(days=DRAFT_DAYS)
    assert early == ([], [])
    assert (reminded, kept, ended) == ([True, False], False, True)
    assert [one.title for one in notices.messages(me).items] == ["居住证申领的草稿快要到期"]
    assert (row_of(draft_id).sealed, row_of(draft_id).answers) == ({}, {})
    assert vault.find("application.id_number", valid_id_number()) == []


def test_saving_puts_the_end_off(context):
    me = do(a_resident)
    draft_id = do(a_draft, None, me)
    later = NOW + timedelta(days=50)

    do(service.save_draft, me, draft_id, {}, version=2, now=later)

    assert retention.ended_drafts(day_of(NOW) + timedelta(days=DRAFT_DAYS + 1)) == []
    assert service.my_case(me, draft_id).expires_on == day_of(later) + timedelta(days=DRAFT_DAYS)


def test_drafts_from_before_they_had_an_end_end_too(context):
    draft_id = do(a_draft)
    do(lambda: setattr(db.writing().get(Application, draft_id), "expires_on", None))
    late = NOW + timedelta(days=DRAFT_DAYS + 2)

    assert retention.ended_drafts(day_of(late)) == [draft_id]
    assert do(retention.end_draft, draft_id, now=late)


def test_closing_an_account_gives_its_drafts_up_and_keeps_its_cases(app, given, me):
    item_id = given(an_open_item)
    case_id = given(a_case, item_id=item_id, resident_id=me)
    draft_id = given(a_draft, item_id, me)

    given(identity.close, me, now=NOW)
    Worker(app, app.extensions["hall_jobs"]).drain()

    with app.app_context():
        states = {one.id: one.state for one in db.session().scalars(select(Application))}
        assert row_of(draft_id).sealed == {}
        assert row_of(case_id).sealed != {}
    assert states == {draft_id: State.WITHDRAWN, case_id: State.SUBMITTED}


def test_a_new_query_code_is_given_to_the_owner_and_the_old_one_dies(client, given, app, me):
    case_id, bearer = given(a_case, resident_id=me), given(a_bearer, me)
    stranger = given(a_bearer, given(a_resident))
    before = client.get(f"{MINE}/{case_id}", headers=bearer).get_json()
    told = {"version": before["version"]}

    refused = client.post(f"{MINE}/{case_id}/query-code", json=told, headers=stranger)
    fresh = client.post(f"{MINE}/{case_id}/query-code", json=told, headers=bearer).get_json()

    assert refused.status_code == 404
    assert fresh["query_code"] != before["query_code"]
    with app.app_context():
        assert service.progress(before["number"], fresh["query_code"]).number == before["number"]
        with pytest.raises(ProgressUnknown):
            service.progress(before["number"], before["query_code"])
        assert version_of(case_id) == fresh["version"]


def test_submitting_takes_four_statements_besides_trail_outbox_and_notice(app, given, me):
    item_id = given(an_open_item)
    given(a_case, item_id=item_id, resident_id=me)
    draft_id = given(a_draft, item_id, me)
    # The notice asks besides where its reader signs in: their account may be merged or closed.
    besides = ("audit_", " job ", "notice_", "vault_", "FROM resident_binding")

    with statements(app) as sent:
        given(service.submit, me, draft_id, version=2, now=NOW)

    own = [one for one in sent if not any(table in one for table in besides)]
    assert [one.split()[0] for one in own] == ["SELECT", "SELECT", "UPDATE", "INSERT"], "\n".join(own)


def test_a_number_that_somebody_has_is_drawn_again(given, me, app, monkeypatch):
    # Chance cannot be waited for: one in ten million.
    lots = iter([7, 7, 8])
    chance = SimpleNamespace(randbelow=lambda _: next(lots))
    monkeypatch.setattr("app.applications.domain.secrets", chance)
    item_id = given(an_open_item)

    first, second = (given(a_case, item_id=item_id, resident_id=me) for _ in range(2))

    with app.app_context():
        numbers = [row_of(one).number for one in (first, second)]
    assert [one[13:20] for one in numbers] == ["0000007", "0000008"]


def test_what_fitted_yesterday_is_looked_at_again(context):
    me = do(a_resident)
    draft_id = do(a_draft, None, me)
    # As if the form's rules had changed their mind overnight: the answer is no day of today's.
    do(lambda: setattr(db.writing().get(Application, draft_id), "answers", {"since": "x"}))

    with pytest.raises(AnswersRefused):
        do(service.submit, me, draft_id, version=2, now=NOW + timedelta(days=1))


def test_text_that_looks_like_a_formula_or_markup_is_data(client, given, me, app):
    told = '=HYPERLINK("x")<b>&{{1}}'
    case_id = given(a_case, resident_id=me, employer=told)
    seen = client.get(f"{MINE}/{case_id}", headers=given(a_bearer, me)).get_json()

    page = signed_in(app, given, me).get(f"/me/applications/{case_id}").text

    assert seen["answers"]["employer"] == told
    assert "=HYPERLINK(&#34;x&#34;)&lt;b&gt;&amp;{{1}}" in page


def test_a_draft_outlives_one_of_two_merged_accounts_and_not_both(app, context, register):
    with set_up(app, register):
        first, second = (a_person(register.provider()) for _ in range(2))
    for one in (first, second):
        do(identity.prove_link, one, 2, identity.links(second)[0].id, now=clock.system_clock())
    do(identity.merge_proved, clock.system_clock())
    draft_id, states = do(a_draft, None, first), []

    for one in (first, second):
        do(identity.close, one, now=clock.system_clock())
        do(retention.forget_resident, one, now=clock.system_clock())
        states.append(row_of(draft_id).state)

    assert states == [State.DRAFT, State.WITHDRAWN]
