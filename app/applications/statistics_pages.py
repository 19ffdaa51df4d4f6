"""Statistics of a desk's own load: by body, person or item, for a chosen period; as page, CSV, XLSX."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, Response, render_template, request

from app.applications import service
from app.applications.service import STATE_LABELS, Grouping, Load, LoadRow, State
from app.core import access, clock
from app.core.access import Permission
from app.core.errors import Invalid, NotFound
from app.core.sheets import Layout, to_csv, to_xlsx

DAYS = 30
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GROUPING_LABELS = {Grouping.BODY: "单位", Grouping.HANDLER: "经办人", Grouping.ITEM: "事项"}
NUMBER_LABELS = {
    "received": "收件",
    "accepted": "受理",
    "deemed": "其中视为受理",
    "refused": "不予受理",
    "supplements": "补正告知",
    "extended": "延长期限",
    "paused": "特别程序",
    "decided": "作出决定",
    "granted": "其中准予",
    "ended": "办结",
}
OPEN_STATES = (
    State.SUBMITTED,
    State.SUPPLEMENT_DUE,
    State.ACCEPTED,
    State.HANDLING,
    State.SUSPENDED,
    State.DECIDED,
    State.COMPLETED,
)

statistics = Blueprint(
    "statistics_pages", __name__, url_prefix="/desk/statistics", template_folder="templates"
)


@statistics.get("")
@access.staff(Permission.CASES_READ)
def load() -> tuple[str, int]:
    problems: dict[str, list[str]] = {}
    found: Load | None = None
    try:
        found = _load()
    except Invalid as error:
        problems = error.fields
    start, end = _period()
    page = render_template(
        "applications/statistics.html",
        found=found,
        problems=problems,
        start=start,
        end=end,
        grouping=_grouping(),
        grouping_labels=GROUPING_LABELS,
        number_labels=NUMBER_LABELS,
        state_labels=STATE_LABELS,
        open_states=OPEN_STATES,
        rate=_rate,
        days=_days,
        query=request.args,
    )
    return page, 422 if problems else 200


@statistics.get("/load.csv")
@access.staff(Permission.CASES_READ)
def as_csv() -> Response:
    return _file(to_csv(*_table(_load())), "text/csv; charset=utf-8", "csv")


@statistics.get("/load.xlsx")
@access.staff(Permission.CASES_READ)
def as_xlsx() -> Response:
    return _file(to_xlsx(*_table(_load())), XLSX, "xlsx")


def _load() -> Load:
    start, end = _period()
    return service.load(access.current_staff(), start, end, _grouping())


def _grouping() -> Grouping:
    try:
        return Grouping(request.args.get("by", Grouping.BODY))
    except ValueError:
        raise NotFound("没有这种统计") from None


def _period() -> tuple[date, date]:
    today = clock.day_of(clock.system_clock())
    return _day("start", today - timedelta(days=DAYS - 1)), _day("end", today)


def _day(name: str, default: date) -> date:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return default


def _table(found: Load) -> tuple[list[dict[str, str]], Layout]:
    columns = {GROUPING_LABELS[_grouping()]: "name"}
    columns |= {label: name for name, label in NUMBER_LABELS.items()}
    columns |= {"按时率": "rate", "平均用时（工作日）": "days", "在办": "open", "其中超期": "overdue"}
    columns |= {f"在办：{STATE_LABELS[state]}": state.value for state in OPEN_STATES}
    rows = [_cells(row) for row in (*found.rows, found.total)]
    return rows, Layout(columns, (), "办件统计")


def _cells(row: LoadRow) -> dict[str, str]:
    return {
        "name": row.name,
        **{name: str(row.numbers[name]) for name in NUMBER_LABELS},
        "rate": _rate(row),
        "days": _days(row),
        "open": str(row.open_count),
        "overdue": str(row.overdue),
        **{state.value: str(row.open.get(state, 0)) for state in OPEN_STATES},
    }


def _rate(row: LoadRow) -> str:
    # Cut and not rounded: only what was always in time is 100 %.
    return "" if row.on_time_rate is None else f"{int(row.on_time_rate * 1000) / 10:.1f}%"


def _days(row: LoadRow) -> str:
    return "" if row.mean_days is None else f"{row.mean_days:.1f}"


def _file(content: bytes, kind: str, ending: str) -> Response:
    start, end = _period()
    answer = Response(content, content_type=kind)
    name = f"cases-{_grouping()}-{start}-{end}.{ending}"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
