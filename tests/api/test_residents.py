"""Every route for residents: staff, strangers, cookies on the API and tokens on pages get nowhere."""

from __future__ import annotations

import pytest

from tests.api.walk import HTML, a_caller, routes, wrong_with
from tests.app.identity.builders import a_bearer, a_resident, signed_in

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def of_residents(app, *, api):
    return [one for one in routes(app) if one.mark.for_residents and one.is_api == api]


def refused(browser, route, status, **headers):
    """Return what is wrong with the refusal of a route."""
    answer = browser.open(
        route.address(), method=route.method, json={} if route.is_api else None, headers=headers
    )
    faults = wrong_with(answer, route)
    return faults if answer.status_code == status else [*faults, f"{route}: {answer.status_code}"]


def test_the_api_of_residents_knows_neither_visitors_nor_staff_nor_cookies(app, given):
    staff, resident = a_caller(app, given, "system_administrator"), given(a_resident)
    cookie = signed_in(app, given, resident)

    faults = []
    for route in of_residents(app, api=True):
        faults += refused(app.test_client(), route, 401)
        faults += refused(staff.browser, route, 401, **staff.bearer)
        faults += refused(cookie, route, 401)

    assert len(of_residents(app, api=True)) >= 9
    assert faults == []


def test_pages_of_residents_lead_all_others_to_their_door(app, given):
    staff, bearer = a_caller(app, given, "system_administrator"), given(a_bearer, given(a_resident))

    wrong = []
    for route in (one for one in of_residents(app, api=False) if one.method == "GET"):
        for browser, headers in ((staff.browser, {}), (app.test_client(), bearer)):
            answer = browser.get(route.address(), headers={**HTML, **headers})
            wrong += wrong_with(answer, route)
            if not answer.headers.get("Location", "").startswith("/me/sign-in?return_to="):
                wrong.append(f"{route}: {answer.status_code}")

    assert wrong == []


def test_a_residents_token_opens_nothing_of_the_staff(app, given, client):
    bearer = given(a_bearer, given(a_resident))

    faults = []
    for route in (one for one in routes(app) if one.is_api and one.mark.for_staff):
        faults += refused(client, route, 401, **bearer)

    assert faults == []


def test_what_residents_see_is_stored_by_no_cache_and_no_answer_is_a_server_error(app, given, client):
    resident = given(a_resident)
    browser, bearer = signed_in(app, given, resident), given(a_bearer, resident)

    faults = []
    for route in (one for one in routes(app) if one.mark.for_residents and one.method == "GET"):
        answer = (client if route.is_api else browser).get(
            route.address(), headers=bearer if route.is_api else HTML
        )
        faults += wrong_with(answer, route)
        if answer.headers.get("Cache-Control") != "no-store":
            faults.append(f"{route}: may be stored")

    assert faults == []
