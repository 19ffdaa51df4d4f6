"""The API does what its OpenAPI document says, whoever asks and whatever is sent."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from app import create_app
from app.mobile_access.service import State
from tests.app.mobile_access.builders import a_page
from tests.builders import a_bearer, a_body, a_principal, settings_for

DOCUMENT = "/api/openapi.json"
ROLES = (
    "province_reviewer",
    "province_watch",
    "department_operator",
    "city_operator",
    "county_operator",
    "auditor",
    "system_administrator",
)
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]


def the_document():
    """Return the document without any database; building the application does no I/O."""
    app = create_app(settings_for("sqlite:///:memory:", Path("var")))
    return app.test_client().get(DOCUMENT).json


@cache
def contract_of(app):
    return schemathesis.openapi.from_wsgi(DOCUMENT, app)


def operations():
    for path, item in the_document()["paths"].items():
        for method in item.keys() - {"parameters"}:
            label = f"{method.upper()} {path}"
            yield label, GenerationMode.POSITIVE
            own = [one for one in item[method].get("parameters", ()) if "name" in one]
            # There is nothing to get wrong in what takes an ETag only: any text is one.
            if own or "requestBody" in item[method] or "parameters" in item:
                yield label, GenerationMode.NEGATIVE


@pytest.fixture
def callers(given):
    """Headers of one person per role, of nobody, and of somebody with a false token."""
    tokens = given(lambda: [a_bearer(a_principal(role)) for role in ROLES])
    return [*tokens, {}, {"Authorization": "Bearer false"}]


@pytest.fixture
def pages(given):
    """Keys of pages of two bodies in several states."""
    states = (State.REGISTERED, State.PASSED, State.ONLINE)

    def build():
        own = [a_page(state=state).id for state in states]
        return [*own, a_page(body=a_body("广州市", "440100")).id]

    return given(build)


@pytest.mark.parametrize(("operation", "mode"), sorted(operations()))
def test_every_answer_is_as_documented(app, callers, pages, operation, mode):
    cases = contract_of(app).find_operation_by_label(operation).as_strategy(mode)
    real = st.none() | st.sampled_from(pages)

    @settings(
        max_examples=8,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, caller=st.sampled_from(callers), page=real)
    def answers_as_documented(case, caller, page):
        if page is not None and mode is GenerationMode.POSITIVE and "page_id" in case.path_parameters:
            case.path_parameters["page_id"] = str(page)
        case.call_and_validate(headers=caller, checks=CHECKS)

    answers_as_documented()
