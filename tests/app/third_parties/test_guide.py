"""The guide's own code, the generated client and a real server: what a department does in ten minutes."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as hypothesis_given
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks
from standardwebhooks import Webhook as Verifier
from werkzeug.serving import make_server

from app import create_app
from app.core import db, migrate
from app.core.runner import Worker
from app.third_parties import service, signing
from app.third_parties.service import Quota, Stage
from app.third_parties.signing import SignedRequest
from tests.app.alerts.receivers import a_receiver
from tests.app.third_parties.builders import a_boss, a_key
from tests.builders import a_body, a_principal, settings_for, sign_in, submit
from tests.processes import free_ports, until

GUIDE = Path("docs/channels/third-parties.md").read_text(encoding="utf-8")
PAGE = {"Accept": "text/html"}


def hall_auth():
    """Return the class that the guide tells departments to copy."""
    code = re.search(r"```python\n(import base64.*?)```", GUIDE, re.DOTALL)[1]
    found = {}
    exec(compile(code, "guide", "exec"), found)
    return found["HallAuth"]


def told(name):
    return re.search(rf"\| {name} \| `([^`]+)` \|", GUIDE)[1]


def test_the_guides_example_is_what_the_hall_computes():
    at = datetime.fromtimestamp(1795305600, tz=UTC)
    asked = SignedRequest(
        "POST", "https://h.example/api/v1/open/sso/tickets?debug=1", {}, b'{"ticket": "abc"}'
    )

    made = signing.sign(
        asked,
        key_id="gdt_0123456789abcdef0123",
        secret="example-secret",
        created=at,
        nonce="0123456789abcdef",
    )

    assert (made["Content-Digest"], made["Signature"]) == (told("Content-Digest"), told("Signature"))


@pytest.mark.parametrize("body", [b"", b'{"a": "\xe5\xb1\x85"}'])
def test_the_guides_code_signs_as_the_standards_library_does(body):
    request = httpx.Request("POST", "https://h.example/api/v1/open/pages?query=%E6%88%B7&a=1", content=body)
    signed = next(hall_auth()("gdt_1", "secret").auth_flow(request))
    seen = SignedRequest("POST", str(signed.url), dict(signed.headers), body)

    signing.verify(seen, signing.read_claim(seen), "secret")


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    """A hall of its own under a real server, with an address its links lead to."""
    folder = tmp_path_factory.mktemp("hall")
    port, hook = free_ports(2)
    installed = settings_for(
        f"sqlite:///{folder}/hall.sqlite",
        folder,
        HALL_BASE_URL=f"http://127.0.0.1:{port}",
        HALL_PORT=str(port),
        HALL_OUTBOUND_ALLOW=f"127.0.0.1/32:{hook}",
    )
    migrate.upgrade(installed.database_url)
    app = create_app(installed)
    with app.app_context():
        service.prepare(lambda _done, _total: None)
    with served(app, port):
        yield app, f"http://127.0.0.1:{port}", hook
    app.extensions["hall_db"].dispose()


@contextmanager
def served(app, port):
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def generated(hall, tmp_path_factory):
    """The client that a well-known generator makes of the hall's own document."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "quiet.yml").write_text("post_hooks: []\n", encoding="utf-8")
    document = folder / "openapi.json"
    document.write_bytes(httpx.get(f"{hall[1]}/api/open/openapi.json").content)
    command = ["openapi_python_client", "generate", "--path", document, "--meta", "none"]
    command += [
        "--output-path",
        folder / "hall_client",
        "--config",
        folder / "quiet.yml",
        "--fail-on-warning",
    ]
    done = subprocess.run([sys.executable, "-m", *map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("hall_client")
    finally:
        sys.path.remove(str(folder))


def a_registered_app(app):
    """Register an application in the console; return its page and what the key's page shows."""

    def given(builder, *args, **details):
        with app.app_context():
            return db.transaction(lambda: builder(*args, **details))

    client, body = app.test_client(), given(a_body)
    sign_in(client, given, given(a_principal, "department_operator", body=body))
    fields = {
        "body_id": body.id,
        "name": "居住证助手",
        "purpose": "给您发送居住证办理进度的通知，不作其他用途。",
        "contact": "测试联系人 020-12345",
        "sso_hosts": "app.example.gov.cn",
        "callback_url": "https://app.example.gov.cn/back",
        "scopes": ["pages.read", "sso", "messages.send", "webhooks"],
    }
    page = submit(client, "/console/third-parties/new", **fields).headers["Location"]
    shown = submit(client, page, f"{page}/keys", stage="sandbox").text
    return re.findall(r"<code>([^<]+)</code>", shown)


def test_a_department_goes_the_whole_way_with_a_generated_client(hall, generated):
    app, base_url, hook = hall
    key_id, secret = a_registered_app(app)
    auth = hall_auth()(key_id, secret)
    client = generated.Client(base_url=base_url, httpx_args={"auth": auth}, raise_on_unexpected_status=True)

    def call(operation, **given):
        module = importlib.import_module(f"hall_client.api.open_api.open_api_{operation}")
        return module.sync(client=client, **given)

    models = importlib.import_module("hall_client.models")
    assert call("self_get").name == "居住证助手"
    assert call("pages_get").items == []

    with a_receiver(port=hook) as receiver:
        events = [models.OpenNewWebhookEventsItem.CONSENT_GRANTED]
        made = call("webhooks_post", body=models.OpenNewWebhook(url=receiver.url, events=events))
        ticket = call("sandbox_tickets_post", body=models.OpenSample(sample=1))
        subject = call("sso_tickets_post", body=models.OpenTicket(ticket=ticket.ticket)).subject
        assert say(call, models, subject).code == "consent_missing"

        scopes = [models.OpenAskScopesItem.MESSAGES_SEND]
        asked = call("consent_requests_post", body=models.OpenAsk(subject=subject, scopes=scopes, days=30))
        agree(asked.url)
        Worker(app, app.extensions["hall_jobs"]).drain()
        (post,) = until(lambda: receiver.posts, "a webhook", 10)

    assert Verifier(made.secret).verify(post.body, post.headers)["data"]["subject"] == subject
    assert say(call, models, subject).sent is False
    log = call("webhook_deliveries_get", webhook_id=made.webhook.id).items
    assert [(one.state.value, one.tries[0].status) for one in log] == [("delivered", 200)]
    unsigned = generated.Client(base_url=base_url)
    self_get = importlib.import_module("hall_client.api.open_api.open_api_self_get")
    assert self_get.sync(client=unsigned).code == "signature_missing"


def say(call, models, subject):
    message = {"subject": subject, "template": "partner.progress", "data": {}, "reference": "1"}
    return call("messages_post", body=models.OpenNewMessage.from_dict(message))


def agree(url):
    """Open the consent page as a phone does and press the button."""
    with httpx.Client(headers=PAGE) as phone:
        token = re.search(r'name="csrf_token" value="([^"]+)"', phone.get(url).text)[1]
        done = phone.post(url, data={"csrf_token": token, "answer": "yes"})
        assert "已同意" in done.text, json.dumps(done.text)


class Signing(requests.auth.AuthBase):
    """Signs whatever a program sends, right before it goes out."""

    def __init__(self, key):
        self.key = key

    def __call__(self, request):
        target = urlsplit(request.url)
        path = target.path + (f"?{target.query}" if target.query else "")
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        signed = self.key.headers(request.method, path, body)
        kept = {name: value for name, value in signed.items() if name.lower() != "content-type"}
        request.headers.update(kept)
        return request


CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


def test_every_signed_answer_is_as_the_open_document_says(hall):
    app, base_url, _ = hall
    with app.app_context():
        key = db.transaction(a_key)
        boss, quota = db.transaction(a_boss), Quota(6000, 100_000)
        db.transaction(lambda: service.set_quota(boss, key.app.id, Stage.SANDBOX, quota))
    document = schemathesis.openapi.from_url(f"{base_url}/api/open/openapi.json")

    for operation in (one.ok() for one in document.get_all_operations()):

        @settings(
            max_examples=3,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis_given(case=operation.as_strategy(GenerationMode.POSITIVE))
        def answers_as_documented(case):
            case.call_and_validate(auth=Signing(key), checks=CHECKS, headers={"Accept": "*/*"})

        answers_as_documented()
