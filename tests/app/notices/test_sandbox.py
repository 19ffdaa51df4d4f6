"""The whole way over real HTTP: the hall's jobs, the sandbox's platforms, and their receipts."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from app.core import clock, db
from app.core.runner import Worker
from app.identity import service as identity
from app.notices import service
from app.notices.service import PlatformForm, Right, Settings
from channels.base import ChannelIdentity
from sandbox.world import RESIDENT, alipay_user_id, open_id
from tests.app.identity.builders import an_alipay_account
from tests.app.notices.builders import DATA, a_template, a_wording, attempts, deliveries, states
from tests.builders import a_wechat_account
from tests.sandbox import builders
from tests.sandbox.servers import Sandbox, a_sandbox, served

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
FIELDS = ["thing1", "character_string2", "time3"]
WECHAT_FORMS: list[dict[str, Any]] = [
    {"id": "T1", "kind": "template", "title": "办件进度通知", "fields": FIELDS},
    {"id": "S1", "kind": "subscribe", "title": "办件进度提醒", "fields": FIELDS},
]
ALIPAY_FORMS: list[dict[str, Any]] = [
    {"id": "A1", "kind": "template", "title": "办件进度通知", "fields": ["first", "keyword1"]}
]
WINDOW_WORDS = {"first": "{事项}", "keyword1": "{编号}"}
WORDS = {"thing1": "{事项}", "character_string2": "{编号}", "time3": "{时间}"}


@dataclass
class House:
    """The hall served over HTTP, the sandbox beside it, and the person with the sandbox's phone."""

    app: Any
    sandbox: Sandbox
    person: int

    def tell(self, once: str = "case:1", key: str = "case.accepted") -> int:
        def send() -> int:
            now = clock.system_clock()
            return service.send(self.person, key, DATA, link="/me", dedup_key=once, now=now)

        return db.transaction(send)

    def work(self) -> None:
        Worker(self.app, self.app.extensions["hall_jobs"]).drain()

    def switch(self, account: str, **values: int) -> None:
        self.sandbox.post("/control/switches", {"account": account, **values})

    def shown(self, account: str) -> list[str]:
        return [str(one) for one in self.sandbox.get(f"/control/chats/{account}")["entries"]]

    def until(self, wanted: dict[str, str]) -> dict[str, str]:
        """Work until the deliveries are as wanted; a receipt comes a moment after the message."""
        for _ in range(100):
            self.work()
            if states() == wanted:
                break
            time.sleep(0.05)
        return states()


@contextmanager
def a_house(app, **template: Any):
    with served(app) as hall:
        wechat = builders.raw_wechat(callback_url=f"{hall}/callbacks/gd-wechat", templates=WECHAT_FORMS)
        window = builders.raw_alipay(callback_url=f"{hall}/callbacks/gd-alipay", templates=ALIPAY_FORMS)
        with a_sandbox(wechat, window) as sandbox:
            sandbox.world.clock = time.time
            sandbox.clock.now = time.time()

            def build() -> int:
                names = ("app_id", "app_secret", "token", "aes_key", "mode", "original_id")
                values = {name: wechat[name] for name in names}
                public = a_wechat_account(key="gd-wechat", **{**values, "api_base": f"{sandbox.base}/wechat"})
                life = an_alipay_account(sandbox)
                a_template(
                    wording=a_wording(
                        PlatformForm(public.id, Right.SUBSCRIBE, "S1", WORDS),
                        PlatformForm(public.id, Right.TEMPLATE, "T1", WORDS),
                        PlatformForm(
                            life.id, Right.TEMPLATE, "A1", {"first": "{事项}", "keyword1": "{编号}"}
                        ),
                    ),
                    **template,
                )
                now = clock.system_clock()
                subject = open_id(wechat["app_id"], RESIDENT)
                person = identity.known_or_new(public, ChannelIdentity(public.key, subject), now=now)
                identity.bind(person, life, ChannelIdentity(life.key, alipay_user_id(RESIDENT)), now=now)
                service.change_settings(person, Settings(quiet=None), version=0, now=now)
                return person

            yield House(app, sandbox, db.transaction(build))


def test_a_message_is_shown_and_its_receipt_makes_it_delivered(app, context):
    with a_house(app) as house:
        house.sandbox.act("gd-wechat", "follow")
        house.tell()
        found = house.until({"wechat.template": "delivered"})
        shown = house.shown("gd-wechat")

    assert found == {"wechat.template": "delivered"}
    assert "thing1：户口迁移" in shown[-1]


def test_a_resident_who_blocks_forms_is_told_in_words(app, context):
    with a_house(app) as house:
        house.sandbox.act("gd-wechat", "follow")
        house.sandbox.act("gd-alipay", "follow")
        house.switch("gd-wechat", block_notices=1)
        house.tell()
        # The 48 hours after following let words through where forms are blocked.
        found = house.until({"wechat.template": "refused", "wechat.service": "accepted"})

    assert found == {"wechat.template": "refused", "wechat.service": "accepted"}


def test_who_does_not_follow_us_in_wechat_is_told_in_alipay(app, context):
    with a_house(app) as house:
        house.sandbox.act("gd-alipay", "follow")
        house.tell()
        found = house.until({"wechat.template": "refused", "alipay.template": "accepted"})
        shown = house.shown("gd-alipay")

    assert found == {"wechat.template": "refused", "alipay.template": "accepted"}
    assert any("户口迁移" in one for one in shown)


def test_a_consent_given_on_the_phone_is_used_once_and_a_lost_receipt_leaves_it_accepted(app, context):
    with a_house(app) as house:
        house.sandbox.act("gd-wechat", "follow")
        house.sandbox.act("gd-wechat", "consent", "S1")
        house.switch("gd-wechat", lose_receipts=1)
        house.tell()
        house.work()
        first = states()
        house.tell("case:2")
        house.work()

    assert first == {"wechat.subscribe": "accepted"}
    assert [one.way for one in deliveries()] == ["wechat.subscribe", "wechat.template"]


def test_a_used_up_quota_sends_the_message_another_way(app, context):
    with a_house(app) as house:
        house.sandbox.act("gd-wechat", "follow")
        house.sandbox.act("gd-alipay", "follow")
        house.switch("gd-wechat", quota_45009=50)
        house.tell()
        found = house.until(
            {"wechat.template": "failed", "wechat.service": "failed", "alipay.template": "accepted"}
        )

    assert found["alipay.template"] == "accepted"
    assert found["wechat.template"] == "failed"


def test_garbage_from_the_platform_is_not_answered_with_a_second_message(app, context):
    with a_house(app) as house:
        house.sandbox.act("gd-wechat", "follow")
        house.tell()
        house.work()
        house.switch("gd-wechat", api_garbage=1)
        house.tell("case:2")
        house.work()

    assert attempts()[-1] == "unknown_result"
    assert [one.state for one in deliveries()][-1] == "queued"
