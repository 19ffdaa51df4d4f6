"""The register of departments' systems (对接登记): who they are, what they may send, how far they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from app.catalogue import service as catalogue
from app.core import audit, db, outbox
from app.core.access import Permission
from app.core.errors import Forbidden, Invalid, NotFound, Stale
from app.exchange.domain import (
    CODE,
    ITEMS_MAX,
    NAME_MAX,
    REASON_MAX,
    NotLive,
    Outcome,
    SystemEvent,
    SystemMoveNotAllowed,
    SystemState,
    move_system,
)
from app.exchange.models import ExchangeSystem
from app.organisations import service as organisations
from app.organisations.service import Principal, ScopeKind
from app.third_parties import service as third_parties
from app.third_parties.service import Caller, Scope, ScopeState, Stage
from config import exchange

OBJECT = "exchange_system"
CATCH_UP_JOB = "exchange.catch-up"
BRING_IN_JOB = "exchange.bring-in"
MANAGE = Permission.EXCHANGE_MANAGE


@dataclass(frozen=True, slots=True)
class SystemWanted:
    """What is said of a system.

    Attributes:
        items: SXBM it may send; empty: all of its body.
        results: 办结结果代码 to :class:`Outcome`.
    """

    name: str
    items: tuple[str, ...]
    results: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SystemView:
    id: int
    body_id: int
    body_name: str
    app_id: int
    code: str
    name: str
    items: tuple[str, ...]
    results: Mapping[str, str]
    state: SystemState
    reason: str
    passed_version: int
    live_at: datetime | None
    version: int
    created_at: datetime

    @property
    def tested(self) -> bool:
        """Whether the newest conformance run was passed."""
        return self.passed_version == exchange.golden()[0]


def register(by: Principal, app_id: int, code: str, wanted: SystemWanted, *, now: datetime) -> SystemView:
    """Register the system behind an application of third_parties, whose keys and webhooks it uses.

    Raises:
        NotFound: no such application in the scope of ``by``.
        Invalid: a value breaks a rule.
    """
    app = third_parties.get_app(by, app_id)
    if not organisations.covers(by, MANAGE, app.body_id):
        raise NotFound("没有这个应用")
    problems = _problems(app.body_id, wanted)
    if not CODE.fullmatch(code):
        problems["code"] = ["3 至 30 个大写字母、数字或 -，以字母开头"]
    elif db.writing().scalar(select(ExchangeSystem.id).where(ExchangeSystem.code == code)) is not None:
        problems["code"] = ["这个系统编码已经有人用了"]
    if app.scopes.get(Scope.EXCHANGE) in (None, ScopeState.REFUSED):
        problems["app_id"] = ["这个应用没有申请“办件数据对接”能力"]
    elif db.writing().scalar(select(ExchangeSystem.id).where(ExchangeSystem.app_id == app_id)) is not None:
        problems["app_id"] = ["这个应用已经登记了系统"]
    if problems:
        raise Invalid("登记信息有误", fields=problems)
    row = ExchangeSystem(
        body_id=app.body_id,
        app_id=app_id,
        code=code,
        name=wanted.name.strip(),
        items=list(dict.fromkeys(wanted.items)),
        results=dict(wanted.results),
        sent_count={},
        state=SystemState.REGISTERED,
        reason="",
        passed_version=0,
        version=1,
        created_at=now,
        created_by=by.actor,
        changed_at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(by.actor, "exchange_system.register", OBJECT, row.id, {"code": code})
    return _views([row])[0]


def change(by: Principal, system_id: int, wanted: SystemWanted, *, version: int, now: datetime) -> SystemView:
    """Change name, items and result codes of a system.

    Raises:
        NotFound: no such system in the scope of ``by``.
        Invalid, Stale: as everywhere.
    """
    row = load(by, system_id)
    problems = _problems(row.body_id, wanted)
    if problems:
        raise Invalid("登记信息有误", fields=problems)
    touch(
        row,
        version,
        now,
        name=wanted.name.strip(),
        items=list(dict.fromkeys(wanted.items)),
        results=dict(wanted.results),
    )
    audit.record(by.actor, "exchange_system.change", OBJECT, row.id, {"results": dict(wanted.results)})
    # What waited for a result code may go on now.
    outbox.enqueue(BRING_IN_JOB, {"system_id": str(row.id)})
    return _views([row])[0]


def advance(
    by: Principal, system_id: int, event: SystemEvent, *, version: int, now: datetime, reason: str = ""
) -> SystemView:
    """Let a system go live, suspend it or let it go on: the province's to decide.

    Raises:
        NotFound: no such system in the scope of ``by``.
        Forbidden: ``by`` is not of the province.
        SystemMoveNotAllowed: not from this state, or without a passed run of the current version.
        Invalid: suspended without a reason.
        Stale: somebody decided first.
    """
    row = load(by, system_id)
    if not is_provincial(by):
        raise Forbidden("上线和暂停由省级管理人员决定")
    if event not in (SystemEvent.GO_LIVE, SystemEvent.SUSPEND, SystemEvent.RESUME):
        raise SystemMoveNotAllowed
    if event is SystemEvent.GO_LIVE and row.passed_version != exchange.golden()[0]:
        raise SystemMoveNotAllowed("还没有通过当前版本的联调测试")
    reason = reason.strip()
    if event is SystemEvent.SUSPEND and not 1 <= len(reason) <= REASON_MAX:
        raise Invalid("请填写理由", fields={"reason": [f"1 至 {REASON_MAX} 个字"]})
    after = move_system(row.state, event)
    live_at = now if event is SystemEvent.GO_LIVE else row.live_at
    touch(row, version, now, state=after, reason=reason, live_at=live_at)
    detail = {"to": after.value, "reason": reason}
    audit.record(by.actor, f"exchange_system.{event}", OBJECT, row.id, detail)
    if event is SystemEvent.GO_LIVE:
        outbox.enqueue(CATCH_UP_JOB, {"system_id": str(row.id)})
    return _views([row])[0]


def listing(by: Principal) -> list[SystemView]:
    """Return the systems in the scope of ``by``, by code."""
    query = select(ExchangeSystem).where(visible(by)).order_by(ExchangeSystem.code)
    return _views(list(db.session().scalars(query)))


def get(by: Principal, system_id: int) -> SystemView:
    """Return one system.

    Raises:
        NotFound: no such system in the scope of ``by``.
    """
    return _views([load(by, system_id)])[0]


def load(by: Principal, system_id: int) -> ExchangeSystem:
    """Return the row of a system in the scope of ``by``.

    Raises:
        NotFound: there is none.
    """
    row = db.session().scalar(select(ExchangeSystem).where(ExchangeSystem.id == system_id, visible(by)))
    if row is None:
        raise NotFound("没有这个系统")
    return row


def visible(by: Principal) -> Any:
    """Return the filter that leaves systems in the scope of ``by``."""
    return organisations.scope_condition(by, MANAGE, ExchangeSystem.body_id)


def is_provincial(by: Principal) -> bool:
    """Tell whether ``by`` manages the exchange for the whole province."""
    return any(grant.carries(MANAGE) and grant.scope_kind is ScopeKind.PROVINCE for grant in by.grants)


def of_caller(caller: Caller, code: str) -> ExchangeSystem:
    """Return the system that a signed request speaks for.

    Raises:
        NotFound: no such system, or another application's.
        NotLive: a production key of a system that is not live; any of a suspended one.
    """
    row = db.session().scalar(
        select(ExchangeSystem).where(ExchangeSystem.code == code, ExchangeSystem.app_id == caller.id)
    )
    if row is None:
        raise NotFound("没有这个系统")
    if row.state is SystemState.SUSPENDED:
        raise NotLive(f"系统已暂停：{row.reason}")
    if caller.stage is Stage.PRODUCTION and row.state is not SystemState.LIVE:
        raise NotLive
    return row


def handling(body_id: int, item_code: str) -> ExchangeSystem | None:
    """Return the system that handles an item of a body; one that names the item goes first.

    What happens while it is suspended waits in its inbox.
    """
    query = select(ExchangeSystem).where(
        ExchangeSystem.body_id == body_id,
        ExchangeSystem.state.in_((SystemState.LIVE, SystemState.SUSPENDED)),
    )
    rows = [row for row in db.session().scalars(query) if not row.items or item_code in row.items]
    return min(rows, key=lambda row: (not row.items, row.code), default=None)


def touch(row: ExchangeSystem, version: int, now: datetime, **values: Any) -> None:
    """Write ``values`` unless somebody wrote since ``version``.

    Raises:
        Stale: somebody did.
    """
    moved = db.writing().execute(
        update(ExchangeSystem)
        .where(ExchangeSystem.id == row.id, ExchangeSystem.version == version)
        .values(version=version + 1, changed_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise Stale
    db.writing().refresh(row)


def standard_results(kind: str) -> dict[str, str]:
    """Return the result codes of a kind of system.

    Raises:
        NotFound: no such kind.
    """
    found = exchange.standard().results.get(kind)
    if found is None:
        raise NotFound("没有这种对照表")
    return dict(found)


def _problems(body_id: int, wanted: SystemWanted) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    if not 1 <= len(wanted.name.strip()) <= NAME_MAX:
        problems["name"] = [f"1 至 {NAME_MAX} 个字"]
    known = catalogue.codes_of(body_id)
    strange = [code for code in wanted.items if code not in known]
    if not known:
        problems["items"] = ["本单位还没有已发布的事项"]
    elif strange or len(wanted.items) > ITEMS_MAX:
        problems["items"] = [f"不是本单位已发布事项的编码：{'、'.join(strange[:5])}"]
    if not wanted.results or any(
        not code.isascii() or not 1 <= len(code) <= 2 or outcome not in set(Outcome)
        for code, outcome in wanted.results.items()
    ):
        problems["results"] = ["每行写“代码 含义”，代码最多 2 个字符"]
    return problems


def _views(rows: Iterable[ExchangeSystem]) -> list[SystemView]:
    return [
        SystemView(
            id=row.id,
            body_id=row.body_id,
            body_name=organisations.get_body(row.body_id).full_name,
            app_id=row.app_id,
            code=row.code,
            name=row.name,
            items=tuple(row.items),
            results=row.results,
            state=row.state,
            reason=row.reason,
            passed_version=row.passed_version,
            live_at=row.live_at,
            version=row.version,
            created_at=row.created_at,
        )
        for row in rows
    ]
