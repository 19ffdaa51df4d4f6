"""Departments' systems and their messages, with working defaults: name only what the test is about."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.applications.models import Application
from app.catalogue import service as catalogue
from app.core import clock, db
from app.core.clock import HALL_TIME
from app.exchange import service
from app.exchange.models import ExchangeMessage, ExchangeSystem
from app.exchange.service import Given, Kind, Receipt, SystemState, SystemWanted
from app.notices import service as notices
from app.organisations import service as organisations
from app.third_parties import service as third_parties
from app.third_parties.service import Scope, Stage
from config import exchange
from tests.app.applications.builders import an_open_item
from tests.app.catalogue.builders import valid_id_number
from tests.app.third_parties.builders import Key, a_key, an_app
from tests.builders import NOW, a_body, a_principal

CITY = ("广州市", "440100")
SCOPES = (Scope.EXCHANGE, Scope.WEBHOOKS)
PATH = "/api/v1/exchange"
PERSON = valid_id_number()


@dataclass(frozen=True)
class Docked:
    """A system of 广州市 with the code of its item and a key."""

    id: int
    code: str
    body_id: int
    item_id: int
    item_code: str
    key: Key

    def row(self) -> ExchangeSystem:
        return db.session().get_one(ExchangeSystem, self.id)

    def put(
        self,
        client: FlaskClient,
        sblsh: str,
        kind: Kind,
        seq: int,
        body: Any = None,
        *,
        version: int = 1,
        **changed: Any,
    ) -> TestResponse:
        """Sign and send one message."""
        said = a_body_of(kind, self.item_code, sblsh, version, **changed) if body is None else body
        url = f"{PATH}/cases/{self.code}/{sblsh}/messages/{int(kind)}/{seq}?version={version}"
        return self.call(client, "PUT", url, said)

    def call(self, client: FlaskClient, method: str, url: str, said: Any = None) -> TestResponse:
        """Sign and send one request."""
        data = b"" if said is None else said if isinstance(said, bytes) else json.dumps(said).encode()
        url = url if url.startswith(PATH) else PATH + url
        return client.open(url, method=method, data=data, headers=self.key.headers(method, url, data))


def a_system(
    *,
    state: SystemState = SystemState.LIVE,
    stage: Stage = Stage.PRODUCTION,
    code: str = "",
    item_id: int | None = None,
    results: str = "gd",
    items: tuple[str, ...] = (),
    **content: Any,
) -> Docked:
    """Register a system of 广州市 for a new item with two steps."""
    notices.ensure_standard(now=NOW)
    wanted = {"case_type": "2", "promised_days": 8, "lawful_days": 20, **content}
    item_id = item_id or an_open_item(**wanted)
    item = catalogue.item(item_id)
    body = organisations.get_body(item.body_id)
    app = an_app(approved=True, body=body, scopes=SCOPES, name=f"业务系统{secrets.token_hex(3)}")
    made = service.register(
        a_manager(),
        app.id,
        code or f"GZ-{secrets.token_hex(4).upper()}",
        SystemWanted("居住证业务系统", items, service.standard_results(results)),
        now=NOW,
    )
    row = db.writing().get_one(ExchangeSystem, made.id)
    row.state, row.passed_version = state, exchange.golden()[0]
    db.writing().flush()
    return Docked(made.id, made.code, body.id, item_id, item.code, a_key(app, stage))


def without_quota(docked: Docked, stage: Stage) -> None:
    """Let a system call as often as tests do."""
    boss = a_principal("system_administrator")
    third_parties.set_quota(boss, docked.key.app.id, stage, third_parties.Quota(6000, 100_000))


def a_manager() -> organisations.Principal:
    """Return somebody of the city who manages systems and applications of its bodies."""
    a_body(*CITY)
    return a_principal("city_operator", region_code=CITY[1])


def at(minutes: int, day: datetime = NOW) -> str:
    """Return a moment as messages write it."""
    return (day + timedelta(minutes=minutes)).astimezone(HALL_TIME).strftime("%Y-%m-%d %H:%M:%S")


_SAID: dict[Kind, dict[str, Any]] = {
    Kind.SB: {
        "SXMC": "居住证申领",
        "SQRLX": "1",
        "SQRMC": "测试一",
        "SQRZJLX": "1",
        "SQRZJHM": PERSON,
        "SBSJ": at(0),
    },
    Kind.WSYSL: {"YSLBMMC": "测试局", "BLRXM": "经办甲", "YSLZTDM": "1", "YSLSJ": at(1)},
    Kind.BJGZ: {
        "BZGZFCRXM": "经办甲",
        "BZGZYY": "照片不清",
        "BZCLQD": [{"CLMC": "住所证明"}],
        "BZGZSJ": at(2),
    },
    Kind.BJSL: {"BZSLBLRXM": "经办甲", "BZCLQD": [{"CLMC": "住所证明"}], "BZSJ": at(3)},
    Kind.SL: {"SLBMMC": "测试局", "BLRXM": "经办甲", "SLZTDM": "1", "SLSJ": at(4)},
    Kind.SPCL: {
        "SPHJDM": "1",
        "SPHJMC": "承办",
        "SPBMMC": "测试局",
        "SPRXM": "经办乙",
        "SPYJ": "同意",
        "SPSJ": at(5),
    },
    Kind.TBCXSQ: {
        "XH": "1",
        "TBCXZL": "B",
        "TBCXZLMC": "实地核查",
        "TBCXKSRQ": at(6)[:10],
        "TBCXPZR": "负责人甲",
        "TBCXQDLY": "要到现场核查",
        "TBCXSX": "5",
        "TBCXSXDW": "1",
    },
    Kind.TBCXJG: {"XH": "1", "TBCXJG": "核查属实", "JGCSRQ": at(7)[:10], "TBCXJSRQ": at(7)[:10]},
    Kind.BJ: {"BJBMMC": "测试局", "BJJGDM": "0", "BJJGMS": "准予", "ZJBH": "T-1", "BJSJ": at(8)},
    Kind.LQDJ: {"LQRXM": "测试一", "LQFS": "1", "LQSJ": at(9)},
}


def a_body_of(kind: Kind, item_code: str, sblsh: str, version: int = 1, **changed: Any) -> dict[str, Any]:
    """Return a message that follows the standard; None leaves a field out."""
    said = {
        "SBLSH": sblsh,
        "SXBM": item_code,
        "XZQHDM": CITY[1],
        "SJBBH": str(version),
        **_SAID[kind],
        **changed,
    }
    return {code: value for code, value in said.items() if value is not None}


def take(
    docked: Docked,
    sblsh: str,
    kind: Kind,
    seq: int,
    *,
    version: int = 1,
    stage: Stage = Stage.PRODUCTION,
    now: datetime | None = None,
    **changed: Any,
) -> Receipt:
    """Take one message in, as the API does."""
    said = a_body_of(kind, docked.item_code, sblsh, version, **changed)
    given = Given(sblsh, kind, seq, version, said)
    return service.receive(docked.row(), stage, given, now=now or clock.system_clock())


def messages() -> list[ExchangeMessage]:
    """Return every message, by number and version."""
    query = select(ExchangeMessage).order_by(ExchangeMessage.seq, ExchangeMessage.data_version)
    return list(db.session().scalars(query))


def the_case() -> Application:
    """Return the one case there is."""
    return db.session().scalars(select(Application)).one()
