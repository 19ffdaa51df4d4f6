"""Made-up people and the sandbox's register that knows them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import requests
from flask import Flask

import sandbox
from app.core import clock, db
from app.core.citizen_number import check_character
from app.core.clock import day_of
from app.identity import service
from app.identity.numbers import organisation_check, uscc_check
from app.identity.providers.over_http import HttpProvider
from app.identity.service import DelegationKind, IdKind, Offer
from channels.base import ChannelEnv
from sandbox.config import SandboxConfig, Verification
from sandbox.real_name import RealNameApi
from sandbox.world import World
from tests.app.identity.builders import a_resident, an_account
from tests.sandbox.servers import served

CHEN = (IdKind.CITIZEN, "44539919620315001X", "陈样例")
LI = (IdKind.CITIZEN, "445399198806010023", "李演示")
HE = (IdKind.CITIZEN, "810000197912240043", "何港样")
ANNA = (IdKind.FOREIGN_PERMANENT, "940840198507070018", "SAMPLE ANNA")
OTHER_FACE = (IdKind.CITIZEN, "445399199505050050", "周不像")
AWAY = (IdKind.CITIZEN, "445399198101010066", "吴离线")
SLOW = (IdKind.CITIZEN, "445399200001010077", "郑缓慢")
UNKNOWN = (IdKind.CITIZEN, "44539919911111009X", "无此人")
COMPANY = ("91445399MA05AMPL7U", "广东样例科技有限公司")
HALL = "http://127.0.0.1:8000"
NUMBERS = [one[1] for one in (CHEN, LI, HE, ANNA, OTHER_FACE, AWAY, UNKNOWN)]


@dataclass(frozen=True, slots=True)
class Register:
    """The sandbox's provider, running."""

    url: str
    world: World
    told: Verification
    api: RealNameApi

    def provider(self) -> HttpProvider:
        env = ChannelEnv(clock.system_clock, lambda: secrets.token_hex(8), requests.Session(), _NoTokens())
        return HttpProvider(env, self.url, self.told.app, self.told.secret)

    def show_face(self, url: str, face: str = "own") -> None:
        """Sit down before the camera: ``own`` or ``other``."""
        requests.post(url, data={"face": face}, timeout=5, allow_redirects=False).raise_for_status()

    def fail(self, **times: int) -> None:
        self.world.switches.change("real-name", times)


class _NoTokens:
    def get(self, key):
        raise AssertionError("a provider has no access tokens")

    compare_and_refresh = get


@contextmanager
def a_register() -> Iterator[Register]:
    told = Verification("hall-test", secrets.token_hex(16))
    config = SandboxConfig(HALL, (), verification=told)
    world = World(config, time.time)
    api = RealNameApi(world, told)
    app = Flask("register", root_path=str(Path(sandbox.__file__).parent))
    app.register_blueprint(api.blueprint(), url_prefix="/real-name")
    with served(app) as base:
        try:
            yield Register(f"{base}/real-name", world, told, api)
        finally:
            world.stopping.set()


@contextmanager
def set_up(app, register: Register):
    """Let the hall ask this register."""
    before = app.extensions["hall_settings"]
    app.extensions["hall_settings"] = replace(
        before,
        base_url=HALL,
        verify_url=register.url,
        verify_app=register.told.app,
        verify_secret=register.told.secret,
    )
    try:
        yield
    finally:
        app.extensions["hall_settings"] = before


def an_old_account(person=CHEN) -> int:
    """Bring in an account that nobody signed in to yet; runs in a transaction."""
    return service.applicant_for(*person, now=clock.system_clock())


def somebody(account=None, subject: str = "") -> int:
    """Sign somebody new in, in a transaction of its own."""
    name = subject or f"o{secrets.token_hex(8)}"
    return db.transaction(
        lambda: a_resident(account or an_account(key=f"k-{secrets.token_hex(4)}"), subject=name)
    )


def a_person(by, person=CHEN, account=None) -> int:
    """Sign somebody in and prove who they are."""
    resident_id = somebody(account)
    service.verify_name(resident_id, *person, by=by, now=clock.system_clock())
    return resident_id


def an_offer(
    agent=LI, *, kind=DelegationKind.AGENT, days: int = 30, today: date | None = None, **changes
) -> Offer:
    id_kind, number, name = agent
    start = today or day_of(clock.system_clock())
    made = Offer(kind, id_kind, number, name, start, start + timedelta(days=days))
    return replace(made, **changes)


def a_uscc(region: str = "445399", inner: str = "MA05A1B2", head: str = "91") -> str:
    first = f"{head}{region}{inner}{organisation_check(inner)}"
    return first + uscc_check(first)


def a_citizen_number(region="445399", born="19620315", order="001") -> str:
    first = f"{region}{born}{order}"
    return first + check_character(first)
