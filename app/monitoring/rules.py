"""The rules of operation (运行管理办法): what may be set, within which bounds, what it means for a check.

Pure. The province states all rules and which of them a city may state for itself; a city's own count
only as long as the province allows them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from app.core.errors import Invalid
from app.monitoring.domain import CHECK_KIND_LABELS, SLOW_MS, CheckKind, Terms
from config.settings import Settings
from mobile_pages.probe.flapping import FlapRule
from mobile_pages.probe.state import Rule

CITY_MAY = "city_may"
"""Beside the rules in a province's policy: the names of those that a city may state for itself."""


class Kind(StrEnum):
    """How a rule is written."""

    COUNT = "count"
    RATE = "rate"  # fraction 0–1, shown as a percentage
    SWITCH = "switch"
    STEPS = "steps"  # three counts of minutes, none shorter than the one before
    KINDS = "kinds"  # kinds of checks


@dataclass(frozen=True, slots=True)
class Field:
    """One rule: its Chinese name, how it is written, its bounds (both included).

    Attributes:
        outages: whether it decides what counts as an outage; such a change is replayed look by look.
        city_may: whether cities may state it unless the province says otherwise.
    """

    name: str
    label: str
    kind: Kind
    low: float = 0
    high: float = 0
    unit: str = ""
    hint: str = ""
    outages: bool = False
    city_may: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """How pages are watched, when their entries are hidden and who is told.

    Attributes:
        escalate_after_minutes: contact, body, province; the first by the clock on the wall, the
            others in working time.
        hide_kinds: kinds of checks whose outage hides the entry.
    """

    interval_seconds: int = 60
    timeout_seconds: int = 15
    slow_ms: int = SLOW_MS
    down_after: int = 3
    back_after: int = 2
    degraded_after: int = 3
    grace_seconds: int = 60
    second_prober: bool = False
    flap_flips: int = 5
    flap_window_looks: int = 14
    flap_calm_looks: int = 8
    escalate_after_minutes: tuple[int, int, int] = (0, 30, 120)
    official_warn_rate: float = 0.03
    slo_target_rate: float = 0.995
    slo_window_days: int = 30
    publish_status: bool = True
    hide_kinds: tuple[CheckKind, ...] = (CheckKind.PAGE,)


FIELDS = (
    Field("interval_seconds", "探测间隔", Kind.COUNT, 20, 86_400, "秒", "单项检查另定间隔的，以单项为准"),
    Field("timeout_seconds", "打开超时", Kind.COUNT, 1, 60, "秒", "最多用到间隔的四成", outages=True),
    Field("slow_ms", "视为缓慢", Kind.COUNT, 100, 60_000, "毫秒起", outages=True, city_may=True),
    Field("down_after", "连续失败几次认定故障", Kind.COUNT, 1, 10, "次", outages=True),
    Field("back_after", "连续成功几次认定恢复", Kind.COUNT, 1, 10, "次", outages=True),
    Field("degraded_after", "连续缓慢几次认定缓慢", Kind.COUNT, 1, 20, "次", outages=True),
    Field("grace_seconds", "故障多久后隐藏入口", Kind.COUNT, 0, 86_400, "秒", city_may=True),
    Field("second_prober", "故障须另一探测机证实", Kind.SWITCH, hint="没有另一台在线时不要求"),
    Field("flap_flips", "抖动：翻转次数", Kind.COUNT, 2, 30, "次", outages=True),
    Field("flap_window_looks", "抖动：最近几次探测内", Kind.COUNT, 5, 60, "次", outages=True),
    Field("flap_calm_looks", "抖动：连续几次无翻转算平稳", Kind.COUNT, 2, 60, "次", outages=True),
    Field(
        "escalate_after_minutes",
        "升级通知：联系人、单位和地市、省",
        Kind.STEPS,
        0,
        14_400,
        "分钟",
        "第一级按自然时间，后两级按工作时间",
        city_may=True,
    ),
    Field("official_warn_rate", "国办指标预警线", Kind.RATE, 0.005, 0.05, "", "达到 5% 单项否决，应更早预警"),
    Field("slo_target_rate", "可用率目标", Kind.RATE, 0.9, 0.9999, city_may=True),
    Field("slo_window_days", "可用率考核窗口", Kind.COUNT, 7, 90, "天"),
    Field("publish_status", "公开运行状况", Kind.SWITCH, hint="关闭后不在公开状况页列出"),
    Field("hide_kinds", "哪些检查故障时隐藏入口", Kind.KINDS),
)
BY_NAME: Mapping[str, Field] = {one.name: one for one in FIELDS}
assert tuple(BY_NAME) == tuple(one.name for one in fields(Rules))
CITY_DEFAULT = tuple(one.name for one in FIELDS if one.city_may)


def installation_rules(settings: Settings) -> Rules:
    """Return the rules that hold where no policy was made."""
    return Rules(
        interval_seconds=settings.probe_interval_seconds,
        timeout_seconds=round(settings.probe_timeout_seconds),
        grace_seconds=settings.down_grace_seconds,
    )


def overlaid(base: Rules, stated: Mapping[str, Any]) -> Rules:
    """Return ``base`` with what a stored policy states; its values were checked when it was made."""
    own = {name: _frozen(value) for name, value in stated.items() if name in BY_NAME}
    if "hide_kinds" in own:
        own["hide_kinds"] = tuple(CheckKind(one) for one in own["hide_kinds"])
    return replace(base, **own)


def as_stated(rules: Rules) -> dict[str, Any]:
    """Return rules as plain JSON values, all of them."""
    return {name: _plain(getattr(rules, name)) for name in BY_NAME}


def differing(base: Rules, rules: Rules) -> dict[str, Any]:
    """Return those of ``rules`` that differ from ``base``, as plain JSON values."""
    return {name: value for name, value in as_stated(rules).items() if value != as_stated(base)[name]}


def checked(base: Rules, stated: Mapping[str, Any], allowed: Collection[str] = tuple(BY_NAME)) -> Rules:
    """Return ``base`` with what somebody wishes to state.

    Args:
        allowed: names of the rules that may be stated.

    Raises:
        Invalid: an unknown rule, one that may not be stated, a value of the wrong kind or out of
            bounds, or values that contradict each other; says which, in Chinese.
    """
    problems: dict[str, list[str]] = {}
    for name, value in stated.items():
        problem = _problem(name, value, allowed)
        if problem:
            problems[name] = [problem]
    if problems:
        raise Invalid("规则填写有误", fields=problems)
    found = overlaid(base, stated)
    contradictions = _contradictions(found)
    if contradictions:
        raise Invalid("规则互相矛盾", fields=contradictions)
    return found


def checked_city_may(names: Collection[str]) -> tuple[str, ...]:
    """Return the names of rules that cities may state, in the usual order.

    Raises:
        Invalid: one of them is no rule.
    """
    unknown = sorted(set(names) - BY_NAME.keys())
    if unknown:
        raise Invalid("规则填写有误", fields={CITY_MAY: [f"没有这项规则：{'、'.join(unknown)}"]})
    return tuple(name for name in BY_NAME if name in names)


def _problem(name: str, value: Any, allowed: Collection[str]) -> str:
    field = BY_NAME.get(name)
    if field is None:
        return "没有这项规则"
    if name not in allowed:
        return "省级规则不允许地市另定这一项"
    return _PROBLEMS[field.kind](field, value)


def _count_problem(field: Field, value: Any) -> str:
    if not _is_count(value):
        return "请填整数"
    return "" if _within(field, value) else _bounds(field)


def _rate_problem(field: Field, value: Any) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "请填 0 到 1 之间的小数"
    return "" if _within(field, value) else _bounds(field)


def _switch_problem(_field: Field, value: Any) -> str:
    return "" if isinstance(value, bool) else "请填是或否"


def _steps_problem(field: Field, value: Any) -> str:
    if not isinstance(value, list | tuple) or len(value) != 3 or not all(map(_is_count, value)):
        return "请填三个整数"
    return "" if all(_within(field, one) for one in value) else _bounds(field)


def _kinds_problem(_field: Field, value: Any) -> str:
    known = isinstance(value, list | tuple) and all(one in set(CheckKind) for one in value)
    return "" if known and len(set(value)) == len(value) else "没有这种检查"


_PROBLEMS = {
    Kind.COUNT: _count_problem,
    Kind.RATE: _rate_problem,
    Kind.SWITCH: _switch_problem,
    Kind.STEPS: _steps_problem,
    Kind.KINDS: _kinds_problem,
}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _within(field: Field, value: float) -> bool:
    return field.low <= value <= field.high


def _bounds(field: Field) -> str:
    if field.kind is Kind.RATE:
        return f"应在 {field.low * 100:g}% 到 {field.high * 100:g}% 之间"
    return f"应在 {field.low:g} 到 {field.high:g} 之间"


def _contradictions(rules: Rules) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if rules.slow_ms >= rules.timeout_seconds * 1000:
        found["slow_ms"] = ["缓慢的界限应小于打开超时"]
    if rules.flap_flips > rules.flap_window_looks:
        found["flap_flips"] = ["翻转次数不能多于探测次数"]
    if rules.flap_calm_looks < max(rules.down_after, rules.back_after):
        found["flap_calm_looks"] = ["不能少于认定故障或恢复所需的次数"]
    if list(rules.escalate_after_minutes) != sorted(rules.escalate_after_minutes):
        found["escalate_after_minutes"] = ["后一级不能早于前一级"]
    return found


def said(field: Field, value: Any) -> str:
    """Return a rule's value in words."""
    match field.kind:
        case Kind.SWITCH:
            return "是" if value else "否"
        case Kind.RATE:
            return f"{value * 100:.4g}%"
        case Kind.STEPS:
            return "、".join(str(one) for one in value) + f" {field.unit}"
        case Kind.KINDS:
            return "、".join(CHECK_KIND_LABELS[CheckKind(one)] for one in value) or "都不"
        case _:
            return f"{value} {field.unit}"


@lru_cache(maxsize=512)
def terms_of(rules: Rules, interval_seconds: int | None = None) -> Terms:
    """Return what the rules mean for a check.

    Args:
        interval_seconds: the check's own; None: as the rules say.
    """
    interval = interval_seconds or rules.interval_seconds
    # Short enough that a failure can be confirmed by a further look half an interval later.
    timeout = min(float(rules.timeout_seconds), interval * 0.4)
    return Terms(
        interval_seconds=interval,
        timeout_seconds=timeout,
        slow_ms=min(rules.slow_ms, round(timeout * 750)),
        grace=timedelta(seconds=rules.grace_seconds),
        rule=Rule(
            down_after=rules.down_after,
            back_after=rules.back_after,
            degraded_after=rules.degraded_after,
            longest_gap=timedelta(seconds=3 * interval + timeout),
            flaps=FlapRule(rules.flap_flips, rules.flap_window_looks, rules.flap_calm_looks),
            second_prober=rules.second_prober,
        ),
        hide_kinds=frozenset(rules.hide_kinds),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [one.value if isinstance(one, StrEnum) else one for one in value]
    return value


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
