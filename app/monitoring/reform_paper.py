"""The reform order (整改通知) as one HTML document for the browser to print."""

from __future__ import annotations

from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from app.core.clock import HALL_TIME
from app.monitoring.shapes import OrderView
from mobile_pages.probe.uptime import OfficialVerdict

_ENVIRONMENT = Environment(
    loader=PackageLoader("app.monitoring"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
VERDICTS = {
    OfficialVerdict.PASS: "未达到 5% 的否决线",
    OfficialVerdict.WARN: "接近 5% 的否决线",
    OfficialVerdict.VETO: "已达到 5% 的否决线",
    OfficialVerdict.TOO_FEW_VISITS: "监测不满一周，暂不判定",
}


def as_html(order: OrderView) -> str:
    """Return the paper of an order; it states what was known when the order was issued."""
    facts = order.facts
    return _ENVIRONMENT.get_template("monitoring/reform_order_paper.html").render(
        order=order,
        facts=facts,
        times={name: _moment(facts[name]) for name in ("started_at", "opened_at", "as_of")},
        acknowledged=facts["acknowledged_at"] and _moment(facts["acknowledged_at"]),
        resolved=facts["resolved_at"] and _moment(facts["resolved_at"]),
        rate="" if facts["rate"] is None else f"{facts['rate'] * 100:.2f}%",
        verdict=VERDICTS[OfficialVerdict(facts["verdict"])],
        timeline=[(_moment(at), label, text) for at, label, text in facts["timeline"]],
        due_on=_day(datetime.combine(order.due_on, datetime.min.time(), HALL_TIME)),
        ordered_on=_day(order.ordered_at),
    )


def _moment(iso: str) -> str:
    return datetime.fromisoformat(iso).astimezone(HALL_TIME).strftime("%Y-%m-%d %H:%M:%S")


def _day(at: datetime) -> str:
    local = at.astimezone(HALL_TIME)
    return f"{local.year}年{local.month}月{local.day}日"
