"""What changes while somebody fills a theme in or waits for its parts."""

from datetime import timedelta

import pytest

from app.applications import service as applications
from app.applications.service import Channel, Event
from app.core import db
from app.core.clock import day_of
from app.core.runner import Worker
from app.identity import service as identity
from app.themes import jobs, service
from app.themes.domain import PartStatus, State
from tests.app.applications import builders as cases
from tests.app.catalogue.builders import a_version
from tests.app.themes import builders as build
from tests.builders import NOW

pytestmark = [
    pytest.mark.parametrize("app", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("context"),
]
VARIANTS = [{"code": "new", "name": "新开"}]


def told(work, *args, **details):
    return db.transaction(lambda: work(*args, **details))


def change(item_id, code, form=None, **content):
    """Bring a newer version of an item into force."""
    details = {"name": build.NAMES[code], "materials": build.MATERIALS[code], **build.TOGETHER, **content}
    return told(a_version, item_id, form=form or build.FORMS[code], **details)


@pytest.fixture
def items():
    return told(build.the_items)


def more(code):
    """Return an item's form with a question more, which nobody answered."""
    return build.a_form(**{**build.FORMS[code]["schema"]["properties"], "area": build.SEATS})


def test_a_page_of_the_former_theme_is_still_saved_without_what_is_not_asked_any_more(items):
    made = told(build.a_draft, told(build.a_theme))
    row = build.row_of(made)
    less = {one: told for one, told in build.FORMS["SW"]["schema"]["properties"].items() if one != "tax_kind"}
    change(items["SW"], "SW", build.a_form(**less))

    sent = {"shop": "示例新馆", "tax_kind": "shop"}
    ways = {"m2": "promise", "gone": "paper"}
    saved = told(service.save, row.resident_id, made, sent, materials=ways, version=row.version, now=NOW)

    assert (saved.theme_changed, saved.cleared) == (True, ["tax_kind"])
    assert service.my_case(row.resident_id, made).answers["shop"] == "示例新馆"


def test_a_part_whose_variant_is_gone_waits_for_the_applicant_and_holds_up_nothing(items):
    change(items["SP"], "SP", variants=VARIANTS)
    wanted = [{**one} for one in build.DEFINITION["items"]]
    wanted[1]["variant"] = "new"
    made = told(build.an_application, told(build.a_theme, items=wanted))
    change(items["SP"], "SP")
    told(build.grant, build.case_of(made, "GS"))

    told(service.follow, made, now=NOW)

    assert build.part_of(made, "SP").status is PartStatus.NEEDS_APPLICANT


def test_a_draft_that_somebody_filled_in_alone_stays_theirs(items):
    made = told(build.an_application, told(build.a_theme))
    owner = build.row_of(made).resident_id
    change(items["SP"], "SP", more("SP"))
    own = told(applications.start_draft, owner, items["SP"], channel=Channel.WAP, now=NOW).id
    told(applications.save_draft, owner, own, {"shop_name": "我的馆子"}, version=1, now=NOW)
    told(build.grant, build.case_of(made, "GS"))
    told(service.follow, made, now=NOW)

    told(service.withdraw, owner, made, version=build.row_of(made).version, now=NOW)

    assert cases.row_of(own).state is applications.State.DRAFT
    assert cases.row_of(own).answers["shop_name"] == "我的馆子"


def test_what_was_decided_before_the_withdrawal_is_followed_to_its_end(items):
    made = told(build.an_application, told(build.a_theme))
    owner, decided = build.row_of(made).resident_id, build.case_of(made, "SW")
    for event in (Event.ACCEPT, Event.BEGIN, Event.DECIDE):
        told(cases.take_step, decided, event)
    told(service.withdraw, owner, made, version=build.row_of(made).version, now=NOW)

    told(cases.take_step, decided, Event.COMPLETE)
    told(service.follow, made, now=NOW)

    assert build.part_of(made, "SW").status is PartStatus.GRANTED
    assert build.row_of(made).state is State.WITHDRAWN


def test_a_closed_account_leaves_no_draft_of_a_theme_behind(app, items):
    made = told(build.a_draft, told(build.a_theme))
    owner = build.row_of(made).resident_id

    told(identity.close, owner, now=NOW)
    Worker(app, app.extensions["hall_jobs"]).drain()

    row = build.row_of(made)
    assert (row.state, row.answers, row.sealed) == (State.WITHDRAWN, {}, {})


def test_a_theme_that_fails_holds_up_none_of_the_others(items, monkeypatch):
    theme = told(build.a_theme)
    several = [told(build.an_application, theme) for _ in range(2)]
    real, done = service.follow, []

    def follow(one, *, now):
        if one == several[0]:
            raise LookupError("broken")
        done.append(one)
        real(one, now=now)

    monkeypatch.setattr(service, "follow", follow)
    with pytest.raises(ExceptionGroup, match="1 failed"):
        jobs._follow(several)

    assert done == several[1:]


def joint():
    """Return a theme application in 广州市 whose item SW is carried out by the province too."""
    told(lambda: (build.the_items(), build.the_items(body="广州市", region="440100")))
    made = told(build.a_draft, told(build.a_theme), region="440100")
    row = build.row_of(made)
    told(service.submit, row.resident_id, made, version=row.version, level=1, now=NOW)
    return made


def test_a_referral_keeps_the_first_acceptance_and_what_paused_the_joint_limit():
    made = joint()
    below = build.case_of(made, "SW")
    told(cases.take_step, below, Event.ACCEPT)
    told(cases.take_step, below, Event.BEGIN)
    told(cases.take_step, below, Event.SPECIAL_BEGIN)
    told(cases.take_step, below, Event.SPECIAL_END, now=NOW + timedelta(days=20))
    told(service.follow, made, now=NOW)
    before = build.row_of(made).joint_due_on

    told(cases.take_step, below, Event.REFER_UP, now=NOW + timedelta(days=20))
    above = applications.standings([below])[below].id
    told(cases.take_step, above, Event.ACCEPT, now=NOW + timedelta(days=21))
    told(service.follow, made, now=NOW)

    assert above != below
    assert (build.row_of(made).accepted_on, build.row_of(made).joint_due_on) == (day_of(NOW), before)


def test_a_part_that_ends_while_it_is_paused_stops_the_joint_limit_no_longer():
    made = joint()
    owner, paused, other = (
        build.row_of(made).resident_id,
        build.case_of(made, "SW"),
        build.case_of(made, "GS"),
    )
    for event in (Event.ACCEPT, Event.BEGIN, Event.SPECIAL_BEGIN):
        told(cases.take_step, paused, event)
    told(cases.take_step, other, Event.ACCEPT)
    told(applications.withdraw, owner, paused, version=cases.version_of(paused), now=NOW)

    told(service.follow, made, now=NOW)

    assert build.row_of(made).joint_due_on is not None
