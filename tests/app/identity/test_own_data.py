"""“我的数据”: what is held with its source, who used it, in order and in parts; nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.applications.models import Application
from app.applications.service import State
from app.core import clock, db
from app.core.viewing import Choice, Edition
from app.identity import service
from app.portal.preferences import choose
from tests.app.applications.builders import a_case, a_draft, an_open_item
from tests.app.applications.builders import a_resident as an_applicant
from tests.app.identity.builders import a_bearer, a_session, signed_in
from tests.app.identity.people_builders import CHEN, COMPANY, UNKNOWN, a_register, an_offer

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
NOW = clock.system_clock


@pytest.fixture(scope="module")
def register():
    with a_register() as running:
        yield running


def uses_of(resident_id, count=1, **words):
    said = {"what": "姓名、证件号码", "by": "省公安厅", "purpose": "办理居住证", **words}
    at = NOW()
    for number in range(count):
        # Two at each moment: the parts of the list must tell them apart.
        service.record_use(resident_id, **said, now=at + timedelta(seconds=number // 2))


def number_of(app, case_id):
    with app.app_context():
        return db.session().get_one(Application, case_id).number


def test_a_page_tells_every_fact_with_its_source_and_numbers_with_stars(app, given, register):
    me = given(an_applicant)
    with app.app_context():
        service.verify_name(me, *CHEN, by=register.provider(), now=NOW())
        service.verify_enterprise(me, *COMPANY, by=register.provider(), now=NOW())
    given(service.give_delegation, me, an_offer(), now=NOW())
    given(choose, me, Choice(edition=Edition.ELDER, region=""), now=NOW())

    page = signed_in(app, given, me).get("/me/data").text

    words = ("经主管部门的人口信息核对", COMPANY[1], "谁替我办事", "长辈版", "全省", "测试公众号", "445*")
    assert [one for one in words if one not in page] == []
    assert [one for one in (*CHEN[1:], COMPANY[0]) if one in page] == []


def test_drafts_cases_and_files_are_counted_by_whoever_keeps_them(app, given):
    me, item = given(an_applicant), given(an_open_item)
    given(a_case, State.SUBMITTED, item_id=item, resident_id=me)
    given(a_draft, item, me)
    given(a_case, State.SUBMITTED, item_id=item)

    headers = given(a_bearer, me)
    found = app.test_client().get("/api/v1/my/data", headers=headers).json["items"]

    counts = {one["name"]: (one["count"], one["path"]) for one in found if one["count"] is not None}
    assert counts["drafts"] == (1, "/me/applications")
    assert counts["cases"] == (1, "/me/applications")
    assert counts["files"][0] == 0
    assert counts["theme_applications"][0] == 0
    assert counts["messages"][0] >= 1


def test_uses_come_in_parts_and_none_is_lost_or_told_twice(app, given):
    me = given(an_applicant)
    given(uses_of, me, 7)
    given(uses_of, given(an_applicant), 3)
    headers, client = given(a_bearer, me), app.test_client()

    seen, cursor = [], ""
    while cursor is not None:
        after = f"&cursor={cursor}" if cursor else ""
        part = client.get(f"/api/v1/my/data/uses?limit=3{after}", headers=headers).json
        seen, cursor = seen + part["items"], part["next_cursor"]

    assert len({one["id"] for one in seen}) == len(seen) == 7
    assert [one["at"] for one in seen] == sorted((one["at"] for one in seen), reverse=True)


def test_a_use_leads_to_the_case_it_was_for_when_the_case_is_ones_own(app, given):
    me, item = given(an_applicant), given(an_open_item)
    mine, other = given(a_case, item_id=item, resident_id=me), given(a_case, item_id=item)
    for case_id in (mine, other):
        given(uses_of, me, case_number=number_of(app, case_id))

    page = signed_in(app, given, me).get("/me/data/uses").text

    assert f'href="/me/applications/{mine}"' in page
    assert number_of(app, other) in page
    assert f'href="/me/applications/{other}"' not in page


def test_older_uses_are_a_page_further(app, given):
    me = given(an_applicant)
    given(uses_of, me, 21, by="省公安厅")
    browser = signed_in(app, given, me)

    first = browser.get("/me/data/uses").text
    older = first.split("before=")[1].split('"')[0]

    assert first.count("省公安厅") == 20
    assert browser.get(f"/me/data/uses?before={older}").text.count("省公安厅") == 1


@pytest.mark.parametrize("path", ["/me/data/uses?before=nonsense", "/me/data/uses?before=%00"])
def test_a_made_up_place_in_the_list_is_refused(app, given, path):
    browser = signed_in(app, given, given(an_applicant))

    assert browser.get(path).status_code == 422


def test_asking_the_register_is_a_use_whatever_it_answers(app, given, register):
    me = given(an_applicant)
    session = given(a_session, me)
    with app.app_context(), pytest.raises(service.PersonUnknown):
        service.verify_name(me, *UNKNOWN, by=register.provider(), now=NOW())
    with app.app_context():
        service.verify_name(me, *CHEN, by=register.provider(), now=NOW())
        service.verify_enterprise(me, *COMPANY, by=register.provider(), now=NOW())
        told = {"return_to": "/me", "by_code": True, "by": register.provider(), "now": NOW()}
        service.start_face(me, session.id, **told)

    found = given(service.uses, me)

    assert {one.by for one in found} == {"实名核验机构"}
    assert len(found) == 4
    assert len({one.purpose for one in found}) == 3


def test_nobody_reads_it_without_signing_in(app):
    client = app.test_client()

    assert client.get("/me/data").status_code in (302, 401)
    assert client.get("/api/v1/my/data").status_code == 401
    assert client.get("/api/v1/my/data/uses").status_code == 401
