"""Task probes against real servers: signing in, asking on, and everything that goes wrong."""

import asyncio
import json
import logging
from urllib.parse import parse_qs

import pytest

from mobile_pages.guard import Policy
from mobile_pages.probe.base import Verdict
from mobile_pages.probe.http import HttpProber, Limits
from mobile_pages.probe.steps import parse
from mobile_pages.probe.targets import TaskTarget
from mobile_pages.probe.task import TaskProber
from tests.mobile_pages.probe.sites import closed_port, hangs, never_ends, page, served, trickles

PASSWORD = "very-secret-口令-9"
TOKEN = "token+with/odd=signs"
SIGN_IN = """
步骤 登录
POST http://127.0.0.1:{port}/login
请求头 Content-Type: application/json
正文 {{"user": "{{{{密.账号}}}}", "password": "{{{{密.口令}}}}"}}
应 JSON /code = 0
取 token JSON /data/token
步骤 查询办件
GET http://127.0.0.1:{port}/cases?token={{{{token}}}}
请求头 X-Token: {{{{token}}}}
应 JSON /list/0/name = 居住证
应 JSON /list/5 不含 x
应 Cookie sid 存在
"""
ONE = "步骤 首页\nGET http://127.0.0.1:{port}/{path}\n"


def as_json(value, headers=""):
    return page(json.dumps(value), headers=f"Content-Type: application/json\r\n{headers}")


async def hall(reader, writer):
    """Play a department's approval interface that wants a sign-in."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    path, _, query = head.split()[1].partition("?")
    if path == "/login":
        length = int(head.lower().split("content-length: ")[1].split()[0])
        sent = json.loads(await reader.readexactly(length))
        good = sent == {"user": "test", "password": PASSWORD}
        answer = as_json(
            {"code": 0 if good else 401, "data": {"token": TOKEN}}, "Set-Cookie: sid=1; Path=/\r\n"
        )
    elif path == "/cases" and parse_qs(query) == {"token": [TOKEN]} and "sid=1" in head:
        answer = as_json({"list": [{"name": "居住证"}]})
    elif path == "/to-cases":
        answer = page("", status="302 Found", headers="Location: /login\r\n")
    else:
        answer = page("no", status="403 Forbidden")
    writer.write(answer)
    await writer.drain()


async def looked(script, handler, *, secrets=None, told=None, port=None, **limits):
    async with served(handler, **({"port": port} if port else {})) as open_port:
        policy = Policy.allowing([("127.0.0.1/32", open_port)], test_or_demo=True)
        http = HttpProber(policy, limits=Limits(**limits))
        steps = parse(script.format(port=open_port, path=""))
        target = TaskTarget("t", steps[0].url, timeout_seconds=2, steps=steps, secrets=secrets or {})
        try:
            return await TaskProber(http).look(target, told)
        finally:
            await http.close()


def look(script, handler=hall, **details):
    return asyncio.run(looked(script, handler, **details))


def replies(answer):
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return handle


def test_a_whole_sign_in_is_gone_through():
    found = look(SIGN_IN, secrets={"账号": "test", "口令": PASSWORD})

    assert (found.verdict, found.status, found.detail) == (Verdict.UP, 200, "")
    assert found.phases.connect_ms > 0


def test_the_step_that_fails_is_named():
    found = look(SIGN_IN, secrets={"账号": "test", "口令": "wrong"})

    assert (found.verdict, found.cause) == (Verdict.DOWN, "wrong_content")
    assert found.detail == "第 1 步“登录”：应“JSON /code = 0”，实际不是。"


def test_nothing_secret_is_told(caplog):
    told, secrets = [], {"账号": "test", "口令": PASSWORD}
    with caplog.at_level(logging.DEBUG):
        found = look(SIGN_IN, secrets=secrets, told=told)
        wrong = look(SIGN_IN, secrets=secrets | {"账号": "nobody"}, told=told)

    shown = f"{found}{wrong}{told}{caplog.text}"
    assert not any(secret in shown for secret in (PASSWORD, TOKEN, "token%2B"))
    assert "＊＊＊" in told[0].excerpt


def test_a_target_shows_no_secret_when_it_is_printed():
    steps = parse(ONE.format(port=1, path=""))

    assert PASSWORD not in repr(TaskTarget("t", "u", steps=steps, secrets={"口令": PASSWORD}))


def test_every_step_tells_its_own_phases():
    told = []
    found = look(SIGN_IN, secrets={"账号": "test", "口令": PASSWORD}, told=told)

    assert [one.name for one in told] == ["登录", "查询办件"]
    assert sum(one.phases.total_ms for one in told) == pytest.approx(found.phases.total_ms)


WRONG = [
    pytest.param(page("", status="500 Oops"), "", "http_status", "状态码 500", id="status"),
    pytest.param(as_json({"code": 1}), "应 JSON /code = 0", "wrong_content", "/code", id="JSON value"),
    pytest.param(as_json([]), "应 JSON /- 存在", "wrong_content", "/-", id="end of a list"),
    pytest.param(page("{"), "应 JSON /code = 0", "wrong_content", "不是有效的 JSON", id="no JSON"),
    pytest.param(page("[" * 90_000), "应 JSON /0 = 0", "wrong_content", "不是有效的 JSON", id="deep JSON"),
    pytest.param(page("1" * 9000), "应 JSON /0 = 0", "wrong_content", "不是有效的 JSON", id="huge number"),
    pytest.param(page("<h1>停</h1>"), "应 CSS h1 包含 开", "wrong_content", "CSS h1", id="element"),
    pytest.param(page("错误"), "应 正文 不含 错误", "wrong_content", "正文", id="body"),
    pytest.param(page(""), "应 响应头 X-A 存在", "wrong_content", "X-A", id="header"),
    pytest.param(page(""), "取 t Cookie sid", "wrong_content", "没有取到", id="cookie"),
    pytest.param(
        page("", headers="Set-Cookie: sid=1\r\n"), "应 状态码 = 302", "http_status", "302", id="other"
    ),
    pytest.param(
        page("", status="302 Found", headers="Location: /\r\n"), "", "redirect_loop", "跳转", id="loop"
    ),
    pytest.param(
        page("", status="302 Found", headers="Location: http://10.0.0.1/\r\n"),
        "",
        "guard_private_address",
        "内部地址",
        id="private redirect",
    ),
    pytest.param(page("x" * 1_100_000), "应 正文 包含 y", "too_large", "过大", id="too much to read"),
]


@pytest.mark.parametrize(("answer", "line", "cause", "said"), WRONG)
def test_what_is_wrong_is_told(answer, line, cause, said):
    found = look(ONE + line, replies(answer))

    assert (found.verdict, found.cause) == (Verdict.DOWN, cause)
    assert said in found.detail


@pytest.mark.parametrize("handler", [hangs, trickles, never_ends])
def test_a_hostile_server_ends_the_task_in_time(handler):
    found = look(ONE, handler, body_bytes=500_000)

    assert found.verdict is Verdict.DOWN
    assert found.cause in ("timeout", "too_large")
    assert found.phases.total_ms < 4000


def test_a_kept_value_cannot_smuggle_a_header():
    script = ONE + "取 t JSON /t\n步骤 二\nGET http://127.0.0.1:{port}/\n请求头 X-A: {{{{t}}}}"

    found = look(script, replies(as_json({"t": "a\r\nHost: other"})))

    assert (found.verdict, found.cause) == (Verdict.DOWN, "bad_answer")


def test_a_form_that_leads_to_a_page_is_followed_without_its_body():
    found = look("步骤 一\nPOST http://127.0.0.1:{port}/to-cases\n正文 a=1", replies(to_itself_once()))

    assert found.cause == "redirect_loop"


def to_itself_once():
    return page("", status="303 See Other", headers="Location: /login\r\n")


def test_what_was_sent_is_not_carried_to_another_site():
    other = closed_port()
    answer = page("", status="307 Again", headers=f"Location: http://127.0.0.1:{other}/\r\n")

    found = look("步骤 一\nPOST http://127.0.0.1:{port}/\n正文 a=1", replies(answer))

    assert (found.cause, "不转交" in found.detail) == ("bad_redirect", True)
