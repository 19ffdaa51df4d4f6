"""What lies outside a person's scope does not exist for them: 404 on every route, never a trace of it."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.alerts import service as alerts
from app.catalogue.content import to_json
from app.channel_accounts import service as channel_accounts
from app.core import clock, db
from app.monitoring import service as monitoring
from app.monitoring.models import Incident, IncidentGroup
from app.organisations import service as organisations
from app.third_parties import events
from app.third_parties import service as third_parties
from app.third_parties.service import EventKind, Stage
from tests.api.walk import HTML, a_caller, post_form, routes, token_of, wrong_with
from tests.app.applications.builders import a_case, an_open_item
from tests.app.catalogue.builders import a_content, a_version, an_implementation
from tests.app.monitoring.builders import seen
from tests.app.third_parties.builders import a_key
from tests.builders import NOW, a_body, a_principal, a_wechat_account

NAME = "外部门户政"
REGISTRATION = {"name": "x", "url": "https://x.example.cn/", "theme": "household", "channels": ["wechat"]}
ACTS = {
    "": REGISTRATION,
    "approval": {"version": 1, "channels": ["wechat"]},
    "rejection": {"version": 1, "channels": ["wechat"], "reason": "x"},
    "suspension": {"version": 1, "reason": "x"},
    "recheck": {"version": 1},
    "retirement": {"version": 1},
    "checks": {},
    "look-again": {},
    "waivers": {"code": "MAS-LAY-03", "reason": "x", "until_on": "2100-01-01"},
    "grant": {},
    "refusal": {"opinion": "x"},
    "end": {},
    "rulings": {"code": "MAS-A11-13"},
    "tries": {},
    "acknowledgement": {},
    "notes": {"text": "x"},
    "assignee": {"staff_id": None},
    "reform-orders": {"demands": "x", "due_on": "2100-01-01"},
    "answer": {"remedy": "x", "version": 1},
    "decision": {"accept": True, "version": 1},
    "withdrawal": {"reason": "x", "version": 1},
    "removal": {"version": 1},
    "confirmation": {},
    "handler": {"version": 1},
    "opinions": {"text": "x"},
    "second-opinion": {"version": 1, "confirmed": True},
    "relations": {"kind": "parallel", "other_directory_id": "1"},
    "publish": {"version": 1},
    "retire": {"version": 1},
    "extension": {"days": 1, "reason": "x"},
    "steps": {"event": "accept", "version": 1},
    "personal": {"reason": "x"},
    "versions": {},
    "moves": {"event": "submit", "version": 1},
    "commit": {},
}
"""A good body per act of the API, so that only the object is wrong."""

BODIES = {
    "POST /api/v1/cases/<id:application_id>/handler": {"version": 1, "staff_id": "1", "reason": "x"},
    "PUT /api/v1/checks/<id:check_id>": {"kind": "page", "version": 0},
    "PUT /api/v1/alerts/endpoints/<id:endpoint_id>": {
        "version": 1,
        "name": "x",
        "min_severity": "info",
        "active": True,
    },
    "PUT /api/v1/catalogue/versions/<id:version_id>": {
        "version": 1,
        "content": json.loads(json.dumps(to_json(a_content()))),
        "form": None,
        "effective_on": "2100-01-01",
    },
    "PUT /api/v1/catalogue/directory/<id:directory_id>": {
        "version": 1,
        "code": "x",
        "code_scheme": "x",
        "name": "x",
        "item_type": "01",
        "domain": "tax",
    },
}
"""A good body per route, where the last word of its rule does not tell."""

FORM = {
    "name": "x",
    "url": "https://x.example.cn/",
    "theme": "household",
    "channels": "wechat",
    "version": "1",
    "reason": "x",
    "decision-wechat": "approve",
    "role": "auditor",
    "scope": "",
}
STRANGERS = {
    "another department": ("department_operator", {"body": ("教育厅", "440000")}),
    "another city": ("city_operator", {"region_code": "440300"}),
    "another county": ("county_operator", {"region_code": "440106"}),
}
AS_A_STRANGER = pytest.mark.parametrize(
    "stranger", list(STRANGERS.values()), ids=list(STRANGERS), indirect=True
)


@pytest.fixture
def foreign(app, given):
    """Keys of things of the police department and of other people, by the name routes give them."""
    page = given(seen, "UDDDD", name=NAME)
    account = given(a_wechat_account).id
    other = given(a_principal, "auditor")
    given(organisations.issue_api_token, other.staff_id, name="x", days=1, by="x", now=clock.system_clock())
    with app.app_context():
        incident = db.session().scalars(select(Incident.id)).one()
    order, group = given(order_about, incident), given(group_of, incident)
    with app.app_context():
        token = organisations.api_tokens(other.staff_id)[0].id
    return {
        "page_id": page.id,
        "body_id": page.body_id,
        "incident_id": incident,
        "order_id": order,
        "group_id": group,
        "check_id": page.id,
        "number": 1,
        "token_id": token,
        "staff_id": other.staff_id,
        "account_id": account,
        "waiver_id": 1,
        "digest": "0" * 64,
        "application_id": given(lambda: a_case(item_id=an_open_item(code="T900"))),
        **given(alerts_of_others, other),
        **given(an_application_of_others),
        **given(an_item_of_others),
    }


def order_about(incident_id):
    reviewer, now = a_principal("province_reviewer"), clock.system_clock()
    due_on = clock.day_of(now) + timedelta(days=20)
    return monitoring.issue_order(reviewer, incident_id, NAME, due_on, now=now).id


def group_of(incident_id):
    """Put the incident into a group of its own; return the group's key."""
    shared = {"group_key": "host:x", "open_key": "host:x", "label": NAME, "cause": "timeout"}
    made = IncidentGroup(**shared, opened_at=NOW, member_count=1, body_count=1)
    db.writing().add(made)
    db.writing().flush()
    db.writing().get_one(Incident, incident_id).group_id = made.id
    return made.id


def alerts_of_others(other):
    """Insert a message, a binding and an endpoint that are none of a stranger's business."""
    now = clock.system_clock()
    watch = a_principal("province_watch")
    wanted = alerts.NewEndpoint(NAME, alerts.EndpointFormat.GENERIC, "https://hooks.example.cn/x")
    endpoint, _ = alerts.add_endpoint(watch, wanted, now=now)
    alerts.give_binding(other.staff_id, channel_accounts.accounts()[0], "oOther", now=now)
    return {
        "endpoint_id": endpoint.id,
        "message_id": alerts.send_test(other, now=now),
        "binding_id": alerts.bindings_of(other.staff_id)[0].id,
    }


def an_application_of_others():
    """Insert an application of the police department with a key, a webhook and a delivery."""
    key, now = a_key(name=NAME), clock.system_clock()
    kinds, url = [EventKind.PAGE_PUBLISHED], "https://hooks.example.cn/x"
    webhook, _ = third_parties.add_webhook(key.app.id, Stage.SANDBOX, url, kinds, actor="test", now=now)
    delivery = events.queue(webhook.id, third_parties.emit(EventKind.PING, {}, now=now), now=now)
    return {"app_id": key.app.id, "key_id": key.key, "webhook_id": webhook.id, "delivery_id": delivery}


def an_item_of_others():
    """Insert an item of the police department; the directory it stands in is everybody's."""
    implementation_id = an_implementation()
    version_id = a_version(implementation_id, name=NAME)
    return {"implementation_id": implementation_id, "version_id": version_id}


@pytest.fixture
def stranger(app, given, foreign, request):
    role, details = request.param
    if "body" in details:
        details = {"body": given(a_body, *details["body"])}
    return a_caller(app, given, role, **details)


def ask(caller, route, foreign):
    address = route.address(**foreign)
    if route.is_api:
        act = route.rule.rpartition(">")[2].strip("/")
        headers = {**caller.bearer, "If-Match": '"x"'}
        if route.method == "POST" and act == "evidence":
            proof = {"file": (io.BytesIO(b"%PDF-1.4\n%%EOF"), "a.pdf")}
            return caller.browser.post(address, data=proof, headers=headers)
        body = None if route.method == "GET" else BODIES.get(f"{route.method} {route.rule}") or ACTS[act]
        query = {"reason": "x"} if route.method == "DELETE" else None
        return caller.browser.open(
            address, method=route.method, json=body, query_string=query, headers=headers
        )
    if route.method == "GET":
        return caller.browser.get(address, headers=HTML)
    return post_form(caller.browser, address, {**FORM, "csrf_token": token_of(caller.browser)})


@AS_A_STRANGER
def test_every_route_to_a_foreign_object_says_there_is_none(app, stranger, foreign):
    to_objects = [
        one for one in routes(app) if one.mark.for_staff and any(kind == "id" for kind, _ in one.places)
    ]

    wrong, statuses = [], []
    for route in to_objects:
        answer = ask(stranger, route, foreign)
        wrong += wrong_with(answer, route)
        statuses.append(answer.status_code)
        if answer.status_code != (404 if stranger.may_call(route) else 403):
            wrong.append(f"{route}: {answer.status_code}")

    assert wrong == []
    assert statuses.count(404) > 12


def unpacked(answer):
    """Return what an answer says, a workbook out of its packing."""
    if not answer.data.startswith(b"PK"):
        return answer.data
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        return b"".join(packed.read(part) for part in packed.namelist())


@AS_A_STRANGER
def test_no_list_and_no_overview_names_a_foreign_object(app, stranger, foreign):
    seen_by_stranger = []
    for route in (one for one in routes(app) if one.method == "GET" and one.mark.for_staff):
        for query in ("", f"?page_id={foreign['page_id']}", f"?body_id={foreign['body_id']}"):
            headers = stranger.bearer if route.is_api else HTML
            answer = stranger.browser.get(route.address(code="440000") + query, headers=headers)
            if NAME.encode() in unpacked(answer):
                seen_by_stranger.append(f"{route}{query}")

    assert seen_by_stranger == []


def test_whoever_it_belongs_to_sees_it(app, given, foreign):
    owner = a_caller(app, given, "department_operator")

    listed = owner.browser.get("/console/pages", headers=HTML).text
    wall = owner.browser.get(f"/wall/page/{foreign['page_id']}", headers=HTML).text

    assert NAME in listed
    assert NAME in wall
