"""The OpenAPI document itself: valid, complete, and true about who may call what."""

from __future__ import annotations

import pytest
import schemathesis

from app import capabilities
from app.core import access
from app.core.json_api import Blueprint

DOCUMENT = "/api/openapi.json"
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(client):
    return client.get(DOCUMENT).json


def operations(document):
    for path, item in document["paths"].items():
        for method in item.keys() & METHODS:
            yield f"{method.upper()} {path}", item[method]


def resolved(document, node):
    """Follow a reference inside the document."""
    while "$ref" in node:
        found = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def unbounded(document, schema, where):
    """Name every part of an input whose size or range is open."""
    schema = resolved(document, schema)
    kinds = {schema.get("type")} if isinstance(schema.get("type"), str) else set(schema.get("type", ()))
    bounded = schema.keys() & {"maxLength", "enum", "pattern"} or schema.get("format") == "binary"
    if "string" in kinds and not bounded:
        yield where
    if kinds & {"integer", "number"} and not schema.keys() >= {"minimum", "maximum"}:
        yield where
    if "array" in kinds:
        if "maxItems" not in schema:
            yield where
        yield from unbounded(document, schema["items"], f"{where}[]")
    for name, part in schema.get("properties", {}).items():
        yield from unbounded(document, part, f"{where}.{name}")


def test_it_is_valid_openapi_3_1(app):
    schemathesis.openapi.from_wsgi(DOCUMENT, app).validate()


def test_every_operation_has_an_id_of_its_own_a_summary_and_a_described_tag(document):
    described = {tag["name"] for tag in document["tags"] if tag.get("description")}
    found = list(operations(document))

    assert len({one["operationId"] for _, one in found}) == len(found)
    assert [label for label, one in found if not one.get("summary")] == []
    assert [label for label, one in found if not set(one["tags"]) <= described] == []


def test_who_may_call_an_operation_is_as_the_guard_has_it(app, document):
    guarded = {
        (rule.endpoint, method): access.mark_of(app.view_functions[rule.endpoint], method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1")
    }

    marks = guarded.values()
    securities = [one["security"] for _, one in operations(document)]
    assert len(securities) == len(guarded)
    assert securities.count([]) == sum(mark.public for mark in marks)
    assert securities.count([{"token": []}]) == sum(mark.for_staff for mark in marks)
    assert securities.count([{"resident": []}]) == sum(mark.for_residents for mark in marks)
    assert securities.count([{"partner": []}]) == sum(mark.for_partners for mark in marks)


def test_every_part_of_the_api_reads_json_strictly():
    parts = [blueprint for capability in capabilities() for blueprint in capability.api]

    assert parts
    assert all(isinstance(blueprint, Blueprint) for blueprint in parts)


def test_every_error_is_a_problem_and_401_says_how_to_sign_in(document):
    for label, operation in operations(document):
        for status, reference in operation["responses"].items():
            answer = resolved(document, reference)
            if status >= "400":
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, label
            assert ("WWW-Authenticate" in answer.get("headers", {})) == (status == "401"), label


def test_every_input_is_bounded(document):
    open_ended = []
    for label, operation in operations(document):
        for given in operation.get("parameters", ()):
            parameter = resolved(document, given)
            if parameter["in"] == "query":
                open_ended += unbounded(document, parameter["schema"], f"{label} {parameter['name']}")
        for kind in operation.get("requestBody", {}).get("content", {}).values():
            open_ended += unbounded(document, kind["schema"], label)

    assert open_ended == []
