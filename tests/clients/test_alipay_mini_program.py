"""Alipay's mini program in Node: every AXML, every page with any answer, and a way through a served hall."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.demo import alipay
from app.mobile_access.service import State
from channels.base import AccountConfig
from sandbox.alipay.signing import bare_public_key
from tests.app.catalogue.builders import an_item, valid_id_number
from tests.app.mobile_access.builders import a_page
from tests.clients.client import CLIENTS, need_packages, run
from tests.interop.conftest import Hall
from tests.sandbox import builders
from tests.sandbox.servers import a_sandbox

FOLDER = CLIENTS / "alipay-mini-program"
WECHAT = CLIENTS / "wechat-mini-program"
AES_KEY = "MDEyMzQ1Njc4OWFiY2RlZg=="
CHINESE = re.compile(r"[\u3001-\u3011\u4e00-\u9fff\uff00-\uffef]+")


@pytest.fixture(scope="module")
def packages() -> None:
    need_packages(FOLDER)


def account_of(raw: Mapping[str, Any], sandbox: str) -> AccountConfig:
    settings = {
        "app_id": raw["app_id"],
        "gateway": f"{sandbox}/alipay/gateway.do",
        "alipay_public_key": bare_public_key(builders.platform_key().public_key()),
    }
    secrets = {"app_private_key": builders.private_pem(builders.hall_key()), "aes_key": AES_KEY}
    return AccountConfig("alipay_mini", raw["key"], settings, secrets)


def test_every_axml_is_sound_and_asks_for_what_its_page_has(packages: None) -> None:
    run(FOLDER, "axml.test.js")


def test_the_pages_do_what_they_should_with_any_answer(packages: None) -> None:
    run(FOLDER, "pages.test.js")


def test_forms_decide_as_the_server_does(packages: None) -> None:
    run(FOLDER, "conditions.test.js")


def test_the_adapter_speaks_as_alipay_does(packages: None) -> None:
    run(FOLDER, "platform.test.js")


def test_a_resident_finds_signs_in_and_looks_through_the_pages(packages: None, hall: Hall) -> None:
    key = "gd-alipay-mini"
    raw = builders.raw_alipay(
        kind="alipay_mini",
        key=key,
        callback_url=f"{hall.base}/callbacks/{key}",
        aes_key=AES_KEY,
        pages=list(alipay.PAGES),
    )
    with a_sandbox(raw, hall_base=hall.base) as sandbox:
        # Alipay refuses a request of another time than its own.
        sandbox.clock.now = time.time()
        hall.add(key, account_of(raw, sandbox.base))
        item = hall.run(an_item, name="居住证申领")
        page = hall.run(a_page, name="户政办理", channels=("alipay_mini",), state=State.ONLINE)

        run(
            FOLDER,
            "real-hall.js",
            HALL_BASE=hall.base,
            HALL_CODES=f"{sandbox.base}/control/alipay/{key}/codes",
            HALL_ACCOUNT=key,
            HALL_ITEM=str(item),
            HALL_ID_NUMBER=valid_id_number(),
            HALL_PAGE=str(page.id),
        )


def test_the_demo_and_the_sandbox_know_the_same_pages_as_the_client() -> None:
    told = json.loads((FOLDER / "app.json").read_text(encoding="utf-8"))

    assert tuple(told["pages"]) == alipay.PAGES


TEMPLATES = sorted(one.relative_to(FOLDER) for one in FOLDER.glob("[cp]*/*/*.axml"))


@pytest.mark.parametrize("template", [pytest.param(one, id=one.stem) for one in TEMPLATES])
def test_both_mini_programs_say_the_same(template: Path) -> None:
    ours = _said(FOLDER / template)
    theirs = _said(WECHAT / template.with_suffix(".wxml"))

    assert ours == [one.replace("用微信登录", "用支付宝登录") for one in theirs]


def _said(template: Path) -> list[str]:
    found = CHINESE.findall(template.read_text(encoding="utf-8"))
    # Who signs in is told what the hall does not learn; that is each platform's own.
    return [one for one in found if "得不到您的" not in one]
