"""Reform orders (整改通知): ordered by the province, answered by the body, accepted or sent back.

What the paper states is fixed when it is ordered, so that it says the same for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.core import audit, clock, db, outbox
from app.core.access import Permission
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from app.core.ids import new_id
from app.monitoring import telling
from app.monitoring.causes import diagnose
from app.monitoring.domain import (
    CHECK_KIND_LABELS,
    DEMANDS_MAX,
    EVENT_LABELS,
    LIST_MAX,
    NOTE_MAX,
    EventKind,
    OrderMove,
    OrderState,
    Outcome,
    order_move,
)
from app.monitoring.figures import official
from app.monitoring.incidents import in_scope
from app.monitoring.incidents_intake import add_lines, line
from app.monitoring.models import Incident, IncidentEvent, ReformOrder, Watch
from app.monitoring.policy import terms_for
from app.monitoring.shapes import OrderList, OrderView
from app.organisations import service as organisations
from app.organisations.service import Principal

OBJECT = "reform_order"
PRINT_JOB = "monitoring.print-reform-order"
LONGEST = timedelta(days=366)
OUTAGES_OVER = timedelta(days=30)
_TRIES = 5


class OrderRuns(Conflict):
    """There is an order about this incident that is not settled yet."""

    code = "order_runs"
    title = "这个事件已有未办结的整改通知"
    title_en = "A reform order about this incident is still open"


def order(by: Principal, incident_id: int, demands: str, due_on: date, *, now: datetime) -> OrderView:
    """Issue a reform order about an incident to its body; the PDF is printed in the background.

    Raises:
        NotFound: no such incident in the scope of ``by``.
        Forbidden: ``by`` does not review for the body.
        Invalid: no demands, or a deadline that is past or too far away.
        OrderRuns: one is not settled yet.
    """
    incident = db.writing().scalar(
        select(Incident).where(Incident.id == incident_id, in_scope(by)).with_for_update()
    )
    if incident is None:
        raise NotFound("没有这个事件")
    _need(by, Permission.PAGES_REVIEW, incident.body_id)
    if incident.outcome is Outcome.VOIDED:
        raise Conflict("这个事件已按误报撤销，不能下达整改通知")
    _check(demands, due_on, clock.day_of(now))
    running = select(ReformOrder.id).where(ReformOrder.open_incident_id == incident_id)
    if db.writing().scalar(running) is not None:
        raise OrderRuns
    row = _numbered(
        {
            "incident_id": incident_id,
            "open_incident_id": incident_id,
            "body_id": incident.body_id,
            "state": OrderState.ORDERED,
            "facts": _facts(incident, now),
            "demands": demands.strip(),
            "due_on": due_on,
            "ordered_at": now,
            "ordered_by": by.actor,
            "remedy": "",
            "evidence_note": "",
            "decision_reason": "",
            "version": 1,
        },
        clock.day_of(now).year,
    )
    found = _view(row)
    told = f"下达整改通知{found.label}，{due_on:%Y-%m-%d} 前完成"
    add_lines([line(incident_id, now, EventKind.ORDERED, told, by.actor)])
    audit.record(by.actor, "reform_order.order", OBJECT, row.id, {"incident_id": str(incident_id)})
    outbox.enqueue(PRINT_JOB, {"order_id": str(row.id)}, dedup_key=f"{PRINT_JOB}:{row.id}")
    telling.order_moved(
        incident, found.id, f"整改通知{found.label}：{incident.page_name}", to_body=True, now=now
    )
    return found


def answer(
    by: Principal, order_id: int, remedy: str, evidence_note: str, *, version: int, now: datetime
) -> OrderView:
    """Say what was done about an order.

    Raises:
        NotFound: no such order in the scope of ``by``.
        Forbidden: ``by`` does not act for the body.
        Invalid: nothing is said.
        MoveNotAllowed: the order is not waiting for an answer.
        Stale: ``version`` is not the order's any more.
    """
    row = _load(by, order_id)
    _need(by, Permission.PAGES_REGISTER, row.body_id)
    _say("remedy", remedy)
    values = {
        "remedy": remedy.strip()[:DEMANDS_MAX],
        "evidence_note": evidence_note.strip()[:DEMANDS_MAX],
        "answered_at": now,
        "answered_by": by.actor,
    }
    return _move(by, row, OrderMove.ANSWER, version, "提交整改情况", values, now)


def decide(
    by: Principal, order_id: int, *, accept: bool, reason: str, version: int, now: datetime
) -> OrderView:
    """Accept what a body did about an order, or send it back with a reason.

    Raises:
        As :func:`answer`; Forbidden: ``by`` does not review for the body.
    """
    row = _load(by, order_id)
    _need(by, Permission.PAGES_REVIEW, row.body_id)
    if not accept:
        _say("reason", reason)
    move = OrderMove.ACCEPT if accept else OrderMove.RETURN
    values = {"decision_reason": reason.strip()[:NOTE_MAX], "decided_at": now, "decided_by": by.actor}
    if accept:
        values["open_incident_id"] = None
    told = "整改通过复核" if accept else f"整改退回：{reason.strip()}"
    return _move(by, row, move, version, told, values, now)


def withdraw(by: Principal, order_id: int, reason: str, *, version: int, now: datetime) -> OrderView:
    """Take an order back that should not have been issued.

    Raises:
        As :func:`decide`.
    """
    row = _load(by, order_id)
    _need(by, Permission.PAGES_REVIEW, row.body_id)
    _say("reason", reason)
    values = {
        "decision_reason": reason.strip()[:NOTE_MAX],
        "decided_at": now,
        "decided_by": by.actor,
        "open_incident_id": None,
    }
    return _move(by, row, OrderMove.WITHDRAW, version, f"撤回整改通知：{reason.strip()}", values, now)


def get_order(by: Principal, order_id: int) -> OrderView:
    """Return an order.

    Raises:
        NotFound: no such order in the scope of ``by``.
    """
    return _view(_load(by, order_id))


def reform_orders(
    by: Principal,
    *,
    state: OrderState | None = None,
    body_id: int | None = None,
    after: int | None = None,
    limit: int = 50,
) -> OrderList:
    """Return the orders in the scope of ``by``, newest first; ``after`` is the last of the page before.

    Raises:
        Invalid: ``after`` is no order that ``by`` may see.
    """
    conditions = [_in_scope(by)]
    if state is not None:
        conditions.append(ReformOrder.state == state)
    if body_id is not None:
        conditions.append(ReformOrder.body_id == body_id)
    if after is not None:
        query = select(ReformOrder.ordered_at).where(ReformOrder.id == after, _in_scope(by))
        at = db.session().scalar(query)
        if at is None:
            raise Invalid("分页标记无效", fields={"after": ["分页标记无效"]})
        older = and_(ReformOrder.ordered_at == at, ReformOrder.id < after)
        conditions.append(or_(ReformOrder.ordered_at < at, older))
    limit = max(1, min(limit, LIST_MAX))
    query_rows = select(ReformOrder).where(*conditions)
    newest_first = query_rows.order_by(ReformOrder.ordered_at.desc(), ReformOrder.id.desc())
    rows = _views(list(db.session().scalars(newest_first.limit(limit + 1))))
    return OrderList(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def orders_about(incident_id: int) -> list[OrderView]:
    """Return the orders about an incident, newest first."""
    query = select(ReformOrder).where(ReformOrder.incident_id == incident_id)
    return _views(list(db.session().scalars(query.order_by(ReformOrder.ordered_at.desc()))))


def paper(by: Principal, order_id: int) -> bytes:
    """Return the order as PDF.

    Raises:
        NotFound: no such order in the scope of ``by``, or it is not printed yet.
    """
    _load(by, order_id)
    content = db.session().scalar(select(ReformOrder.paper).where(ReformOrder.id == order_id))
    if content is None:
        raise NotFound("PDF 还没有生成")
    return content


def to_print(order_id: int) -> OrderView | None:
    """Return an order that waits for its PDF, None when it has one."""
    row = db.session().get(ReformOrder, order_id)
    found = None if row is None else _view(row)
    return None if found is None or found.printed else found


def note_printed(order_id: int, content: bytes) -> None:
    """Keep the PDF of an order; the first one stays."""
    db.writing().execute(
        update(ReformOrder)
        .where(ReformOrder.id == order_id, ReformOrder.paper.is_(None))
        .values(paper=content)
        .execution_options(synchronize_session=False)
    )


def _in_scope(by: Principal) -> ColumnElement[bool]:
    return organisations.scope_condition(by, Permission.WATCH, ReformOrder.body_id)


def _load(by: Principal, order_id: int) -> ReformOrder:
    row = db.session().scalar(select(ReformOrder).where(ReformOrder.id == order_id, _in_scope(by)))
    if row is None:
        raise NotFound("没有这份整改通知")
    return row


def _need(by: Principal, permission: Permission, body_id: int) -> None:
    if not organisations.covers(by, permission, body_id):
        raise Forbidden


def _say(field: str, text: str) -> None:
    if not text.strip():
        raise Invalid("请填写说明", fields={field: ["请填写说明"]})


def _check(demands: str, due_on: date, today: date) -> None:
    problems = {}
    if not demands.strip():
        problems["demands"] = ["请填写整改要求"]
    if not today < due_on <= today + LONGEST:
        problems["due_on"] = ["期限要在明天以后、一年以内"]
    if problems:
        raise Invalid(fields=problems)


def _numbered(values: Mapping[str, Any], year: int) -> ReformOrder:
    """Insert an order under the next free number of the year."""
    newest = select(func.max(ReformOrder.number)).where(ReformOrder.year == year)
    for _ in range(_TRIES):
        row = ReformOrder(id=new_id(), year=year, number=(db.writing().scalar(newest) or 0) + 1, **values)
        try:
            with db.writing().begin_nested():
                db.writing().add(row)
        except IntegrityError:
            continue  # another order took the number, or the incident, in this moment
        return row
    raise OrderRuns


def _move(
    by: Principal,
    row: ReformOrder,
    move: OrderMove,
    version: int,
    told: str,
    values: dict[str, Any],
    now: datetime,
) -> OrderView:
    state = order_move(row.state, move)
    won = db.writing().execute(
        update(ReformOrder)
        .where(ReformOrder.id == row.id, ReformOrder.version == version, ReformOrder.state == row.state)
        .values(state=state, version=version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if won.rowcount != 1:  # type: ignore[attr-defined]
        raise Stale
    add_lines([line(row.incident_id, now, EventKind.ORDERED, told, by.actor)])
    audit.record(by.actor, f"reform_order.{move}", OBJECT, row.id)
    db.writing().refresh(row)
    incident = db.writing().get_one(Incident, row.incident_id)
    found = _view(row)
    title = f"整改通知{found.label}：{told}"
    telling.order_moved(incident, row.id, title, to_body=move is not OrderMove.ANSWER, now=now)
    return found


def _facts(incident: Incident, now: datetime) -> dict[str, Any]:
    """Return what the paper states, as plain JSON values; times are ISO 8601, UTC."""
    watch = db.session().get_one(Watch, incident.check_id)
    diagnosis = diagnose(incident.phase, incident.cause, incident.evidence)
    figure = official(incident.page_id, terms_for(incident.body_id, now), now)
    count, minutes = _outages(incident.page_id, now)
    return {
        "page_name": incident.page_name,
        "url": watch.url,
        "body_name": organisations.get_body(incident.body_id).full_name,
        "kind": CHECK_KIND_LABELS[incident.kind],
        "started_at": incident.started_at.isoformat(),
        "opened_at": incident.opened_at.isoformat(),
        "acknowledged_at": incident.acknowledged_at and incident.acknowledged_at.isoformat(),
        "resolved_at": incident.resolved_at and incident.resolved_at.isoformat(),
        "minutes_down": _minutes(incident, now),
        "phase": diagnosis.phase_label,
        "sentence": diagnosis.sentence,
        "detail": incident.detail,
        "status": incident.evidence.get("status"),
        "visits": figure.visit_count,
        "failures": figure.failure_count,
        "rate": figure.rate,
        "verdict": figure.verdict.value,
        "month_outages": count,
        "month_minutes": minutes,
        "timeline": _timeline(incident.id),
        "as_of": now.isoformat(),
    }


def _minutes(incident: Incident, now: datetime) -> float:
    lasted = (incident.resolved_at or now) - incident.started_at
    return round(max(timedelta(0), lasted) / timedelta(minutes=1), 1)


def _outages(page_id: int, now: datetime) -> tuple[int, float]:
    """Return how many outages the page had in the last thirty days, and their minutes inside them."""
    since = now - OUTAGES_OVER
    query = select(Incident.started_at, Incident.resolved_at).where(
        Incident.page_id == page_id,
        or_(Incident.resolved_at.is_(None), Incident.resolved_at > since),
        or_(Incident.outcome.is_(None), Incident.outcome != Outcome.VOIDED),
    )
    spans = [(max(start, since), end or now) for start, end in db.session().execute(query)]
    total = sum((max(timedelta(0), end - start) for start, end in spans), timedelta(0))
    return len(spans), round(total / timedelta(minutes=1), 1)


def _timeline(incident_id: int) -> list[list[str]]:
    query = select(IncidentEvent).where(IncidentEvent.incident_id == incident_id)
    rows = db.session().scalars(query.order_by(IncidentEvent.at, IncidentEvent.id))
    return [[row.at.isoformat(), EVENT_LABELS[row.kind], row.text] for row in rows]


def _view(row: ReformOrder) -> OrderView:
    return _views([row])[0]


def _views(rows: Sequence[ReformOrder]) -> list[OrderView]:
    ids = [row.id for row in rows]
    query = select(ReformOrder.id).where(ReformOrder.id.in_(ids), ReformOrder.paper.is_not(None))
    printed = set(db.session().scalars(query)) if ids else set()
    return [_shown(row, printed=row.id in printed) for row in rows]


def _shown(row: ReformOrder, *, printed: bool) -> OrderView:
    return OrderView(
        id=row.id,
        year=row.year,
        number=row.number,
        incident_id=row.incident_id,
        body_id=row.body_id,
        state=row.state,
        facts=row.facts,
        demands=row.demands,
        due_on=row.due_on,
        ordered_at=row.ordered_at,
        ordered_by=row.ordered_by,
        remedy=row.remedy,
        evidence_note=row.evidence_note,
        answered_at=row.answered_at,
        answered_by=row.answered_by,
        decision_reason=row.decision_reason,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        printed=printed,
        version=row.version,
    )
