"""What every answer shares: error shape, request ids, headers, health."""

from __future__ import annotations

import json

import pytest

from app.core.logs import star_numbers


def test_an_unknown_address_is_a_problem_with_a_stable_code(client):
    answer = client.get("/api/v1/nothing")

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "not_found"
    assert answer.json["title"] == "没有找到"
    assert answer.json["title_en"] == "Not Found"
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


def test_a_person_gets_a_page_instead(client):
    answer = client.get("/nothing", headers={"Accept": "text/html"})

    assert answer.status_code == 404
    assert "没有找到" in answer.text
    assert 'lang="zh-Hans"' in answer.text


def test_bytes_in_the_address_that_are_no_text_are_no_error_of_ours(client):
    pages = ("/me/sign-in", "/search", "/nothing", "/me")

    told = [client.get(one, environ_overrides={"QUERY_STRING": "q=\xff&q=\xe5"}) for one in pages]

    assert [answer.status_code for answer in told if answer.status_code >= 500] == []


def test_the_wrong_method_names_the_right_ones(client):
    answer = client.delete("/healthz")

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.json["code"] == "method_not_allowed"


def test_a_given_request_id_is_kept_and_a_malformed_one_replaced(client):
    kept = client.get("/healthz", headers={"X-Request-Id": "abcdef-123456"})
    replaced = client.get("/healthz", headers={"X-Request-Id": "x\tinjected"})

    assert kept.headers["X-Request-Id"] == "abcdef-123456"
    assert len(replaced.headers["X-Request-Id"]) == 16


def test_the_policy_forbids_scripts_from_elsewhere_and_framing(client):
    policy = client.get("/healthz").headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_an_unknown_host_is_refused(client):
    answer = client.get("/healthz", headers={"Host": "evil.example"})

    assert answer.status_code == 400


def test_health_readiness_and_figures_answer(client):
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready"}
    assert b"hall_requests_total" in client.get("/metrics").data


def test_invented_methods_make_no_new_figures(client):
    for method in ("BREW", "STEEP"):
        client.open("/", method=method)

    figures = client.get("/metrics").text

    assert "BREW" not in figures
    assert "STEEP" not in figures
    assert 'method="other",status="405"' in figures


def test_figures_are_not_for_those_who_come_through_a_proxy(client):
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403


def test_an_error_nobody_foresaw_is_logged_and_tells_nothing(app, client, capfd, monkeypatch):
    def explode():
        raise RuntimeError("database password is geheim")

    monkeypatch.setitem(app.view_functions, "operations.healthz", _marked(explode))

    answer = client.get("/healthz")

    assert answer.status_code == 500
    assert answer.json["code"] == "internal"
    assert "geheim" not in answer.text


def _marked(view):
    from app.core.access import public

    return public("test")(view)


def test_the_contract_is_served_and_its_page_loads_nothing_from_elsewhere(client):
    contract = client.get("/api/openapi.json")
    page = client.get("/api/docs")

    assert contract.json["openapi"].startswith("3.1")
    assert "http" not in page.text.replace("http-equiv", "")
    with client.get("/static/vendor/swagger-ui-bundle.js") as script:
        assert script.status_code == 200


@pytest.mark.parametrize("number", ["99999919900101001X", "999999900101001", "13800000000"])
def test_a_number_of_a_person_never_reaches_the_log(number):
    line = star_numbers(None, "info", {"event": f"user typed {number}!"})

    assert number not in json.dumps(line)
