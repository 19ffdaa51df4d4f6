"""The mini program, rendered and tapped by Node: with scripted answers, and with a hall and a sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from app.demo import wechat_mini
from app.mobile_access.service import State
from channels.base import AccountConfig
from tests.app.catalogue.builders import an_item, valid_id_number
from tests.app.mobile_access.builders import a_page
from tests.clients.client import CLIENTS, need_packages, run
from tests.interop.conftest import Hall
from tests.sandbox import builders
from tests.sandbox.servers import a_sandbox

FOLDER = CLIENTS / "wechat-mini-program"


@pytest.fixture(scope="module")
def packages() -> None:
    need_packages(FOLDER)


def account_of(raw: Mapping[str, Any], sandbox: str) -> AccountConfig:
    names = ("app_id", "app_secret", "token", "aes_key", "mode", "original_id")
    return AccountConfig(
        "wechat_mini", raw["key"], {**{name: raw[name] for name in names}, "api_base": f"{sandbox}/wechat"}
    )


def test_the_pages_do_what_they_should_with_any_answer(packages: None) -> None:
    run(FOLDER, "pages.test.js")


def test_forms_decide_as_the_server_does(packages: None) -> None:
    run(FOLDER, "conditions.test.js")


def test_a_resident_finds_signs_in_and_looks_through_the_pages(packages: None, hall: Hall) -> None:
    raw = builders.raw_mini(callback_url=f"{hall.base}/callbacks/gd-mini")
    with a_sandbox(raw, hall_base=hall.base) as sandbox:
        hall.add(raw["key"], account_of(raw, sandbox.base))
        item = hall.run(an_item, name="居住证申领")
        page = hall.run(a_page, name="户政办理", channels=("wechat_mini",), state=State.ONLINE)

        run(
            FOLDER,
            "real-hall.js",
            HALL_BASE=hall.base,
            HALL_CODES=f"{sandbox.base}/control/accounts/{raw['key']}/codes",
            HALL_ACCOUNT=raw["key"],
            HALL_ITEM=str(item),
            HALL_ID_NUMBER=valid_id_number(),
            HALL_PAGE=str(page.id),
        )


def test_the_demo_and_the_sandbox_know_the_same_pages_as_the_client() -> None:
    told = json.loads((FOLDER / "app.json").read_text(encoding="utf-8"))

    assert tuple(told["pages"]) == wechat_mini.PAGES
