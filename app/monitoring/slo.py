"""Error budgets of bodies, cities and the province, and alarms when they burn too fast.

Reckoned each minute from what is *not* open: closed spans of the last three days that are down, held
or unknown, and the few checks that are so now. Time open is the rest of what the watched pages have,
so that twenty thousand pages that work cost one counting query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, Select, func, or_, select

from app.alerts import service as alerts
from app.alerts.service import Alert, Audience, Severity, Topic
from app.core import audit, db
from app.core.access import Permission
from app.monitoring.domain import CheckKind, MaintenanceScope
from app.monitoring.models import SloBurn, StateSpan, Watch
from app.monitoring.policy import TermsBook, book, terms_of_bodies
from app.monitoring.rules import Rules
from app.organisations import service as organisations
from app.organisations.service import Place, Principal
from mobile_pages.probe.base import Condition
from mobile_pages.probe.slo import LENGTHS, Budget, Burn, Urgency, budget, burns
from mobile_pages.probe.uptime import Tally

ACTOR = "system:slo"
OBJECT = "slo_burn"
PAGED_PAGES_MIN = 5
"""Of fewer pages a single outage is a burn: its incident has told already, so only a ticket is made."""

_SOUND = (Condition.UP, Condition.DEGRADED)
_ZERO = timedelta()

Scope = tuple[MaintenanceScope, str]
RaiseAlert = Callable[[Alert], None]


@dataclass(frozen=True, slots=True)
class BudgetView:
    """The error budget of a body, a city or the province over its window.

    Attributes:
        burning: factors of the pairs of windows whose alarm is on.
    """

    scope: MaintenanceScope
    scope_ref: str
    name: str
    pages: int
    window_days: int
    budget: Budget
    burning: tuple[float, ...]


@dataclass(slots=True)
class _Spent:
    """What a group spent in each of several stretches of time that end now."""

    pages: int
    tallies: dict[timedelta, Tally]


def budgets(by: Principal, *, now: datetime) -> list[BudgetView]:
    """Return the budgets of what ``by`` watches: the province and cities if all, then bodies."""
    everything = organisations.bodies_of(by, Permission.WATCH)
    seen = {one.id for one in everything}
    names = _names()
    rules = _rules_of(terms_of_bodies(now), now)
    lengths = sorted({timedelta(days=rules(scope).slo_window_days) for scope in names})
    spent = _spent(lengths, now)
    burning = _burning()
    whole = len(seen) == len(organisations.bodies())
    found = []
    for scope, one in spent.items():
        if scope[0] is MaintenanceScope.BODY and int(scope[1]) not in seen:
            continue
        if scope[0] is not MaintenanceScope.BODY and not whole:
            continue
        own = rules(scope)
        left = budget(one.tallies[timedelta(days=own.slo_window_days)], own.slo_target_rate)
        factors = tuple(sorted(burning.get(scope, ()), reverse=True))
        name = names.get(scope, "")
        found.append(BudgetView(*scope, name, one.pages, own.slo_window_days, left, factors))
    return sorted(found, key=lambda one: (_ORDER[one.scope], one.budget.left))


_ORDER = {MaintenanceScope.PROVINCE: 0, MaintenanceScope.CITY: 1, MaintenanceScope.BODY: 2}


def watch_budgets(now: datetime, raise_alert: RaiseAlert = alerts.raise_alert) -> int:
    """Raise and end alarms about budgets; return how many began. Needs a running transaction."""
    rules = _rules_of(terms_of_bodies(now), now)
    spent = _spent(LENGTHS, now)
    known = {row.open_key: row for row in db.writing().scalars(_open_burns().with_for_update())}
    due: dict[str, tuple[Scope, Burn]] = {}
    for scope, one in spent.items():
        for burn in burns(one.tallies.__getitem__, rules(scope).slo_target_rate):
            if burn.pair.urgency is Urgency.TICKET or one.pages >= PAGED_PAGES_MIN:
                due[_key(scope, burn.pair.factor)] = (scope, burn)
    for key in known.keys() - due.keys():
        known[key].open_key, known[key].ended_at = None, now
    begun = {key: due[key] for key in due.keys() - known.keys()}
    names = _names() if begun else {}
    for key, (scope, burn) in sorted(begun.items()):
        _begin(key, scope, burn, names.get(scope, ""), rules(scope), now, raise_alert)
    db.writing().flush()
    return len(begun)


def _begin(
    key: str,
    scope: Scope,
    burn: Burn,
    name: str,
    rules: Rules,
    now: datetime,
    raise_alert: RaiseAlert,
) -> None:
    row = SloBurn(
        open_key=key,
        scope=scope[0],
        scope_ref=scope[1],
        factor=round(burn.pair.factor * 10),
        long_rate=min(burn.long_rate, 1e9),
        short_rate=min(burn.short_rate, 1e9),
        began_at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(ACTOR, "slo_burn.begin", OBJECT, row.id, {"key": key, "long_rate": round(row.long_rate, 2)})
    raise_alert(_alert(key, scope, burn, name, rules, now))


def _alert(key: str, scope: Scope, burn: Burn, name: str, rules: Rules, now: datetime) -> Alert:
    urgent = burn.pair.urgency is Urgency.PAGE
    hours = burn.pair.long / timedelta(hours=1)
    body_id = int(scope[1]) if scope[0] is MaintenanceScope.BODY else None
    return Alert(
        topic=Topic.SLO_BURN,
        severity=Severity.CRITICAL if urgent else Severity.WARNING,
        title=f"{name}：可用率目标的差错预算消耗过快",
        text=(
            f"目标 {rules.slo_target_rate * 100:.4g}%（{rules.slo_window_days} 天）。最近 {hours:g} 小时"
            f"的消耗是允许速度的 {burn.long_rate:.3g} 倍，最近仍有 {burn.short_rate:.3g} 倍。"
            + ("请立即查看。" if urgent else "请在下一个工作日处理。")
        ),
        body_id=body_id,
        city_code=scope[1] if scope[0] is MaintenanceScope.CITY else None,
        group_key=f"slo:{key}",
        link="/wall",
        at=now,
        audience=Audience.BODY if body_id is not None else Audience.PROVINCE,
    )


def _key(scope: Scope, factor: float) -> str:
    return f"{scope[0].value}:{scope[1]}:{factor:g}"


def _open_burns() -> Select[SloBurn]:
    return select(SloBurn).where(SloBurn.open_key.is_not(None)).order_by(SloBurn.id)


def _burning() -> dict[Scope, list[float]]:
    found: dict[Scope, list[float]] = defaultdict(list)
    for row in db.session().scalars(_open_burns()):
        found[row.scope, row.scope_ref].append(row.factor / 10)
    return found


def _rules_of(terms: TermsBook, now: datetime) -> Callable[[Scope], Rules]:
    held = book(now)

    def rules(scope: Scope) -> Rules:
        if scope[0] is MaintenanceScope.BODY:
            return terms.rules_of(int(scope[1]))
        return held.of_city(scope[1] if scope[0] is MaintenanceScope.CITY else None)

    return rules


def _names() -> dict[Scope, str]:
    found: dict[Scope, str] = {(MaintenanceScope.PROVINCE, ""): "全省"}
    found |= {(MaintenanceScope.CITY, one.code): one.name for one in organisations.regions()}
    bodies = organisations.bodies()
    return found | {(MaintenanceScope.BODY, str(one.id)): one.full_name for one in bodies}


def _spent(lengths: Iterable[timedelta], now: datetime) -> dict[Scope, _Spent]:
    """Return what every body, city and the province spent in the time just passed; main checks only."""
    lengths = tuple(lengths)
    since = now - max(lengths)
    bodies = _wall(lengths, now)
    for body_id, condition, start, end in _not_open(since, now):
        own = bodies.get(body_id)
        if own is None:
            continue
        for length in lengths:
            took = min(end, now) - max(start, now - length)
            if took > _ZERO:
                own.tallies[length] = _moved(own.tallies[length], condition, took)
    return _pooled(bodies, lengths)


def _moved(tally: Tally, condition: Condition, took: timedelta) -> Tally:
    """Take time from what counted as open and count it as what it was."""
    other = {condition.value: getattr(tally, condition.value) + took, "up": max(_ZERO, tally.up - took)}
    return Tally(
        up=other["up"],
        down=other.get("down", tally.down),
        maintenance=other.get("maintenance", tally.maintenance),
        paused=other.get("paused", tally.paused),
        unknown=other.get("unknown", tally.unknown),
    )


def _wall(lengths: tuple[timedelta, ...], now: datetime) -> dict[int, _Spent]:
    """Return for each body the time that its watched pages have had, as if all of it had been open."""
    since = now - max(lengths)
    main = (Watch.kind == CheckKind.PAGE, Watch.watched.is_(True))
    old = select(Watch.body_id, func.count()).where(*main, Watch.begun_at <= since).group_by(Watch.body_id)
    found: dict[int, _Spent] = {}
    for body_id, pages in db.session().execute(old):
        found[body_id] = _Spent(pages, {length: Tally(up=pages * length) for length in lengths})
    new = select(Watch.body_id, Watch.begun_at).where(*main, Watch.begun_at > since)
    for body_id, begun_at in db.session().execute(new):
        own = found.setdefault(body_id, _Spent(0, dict.fromkeys(lengths, Tally())))
        own.pages += 1
        for length in lengths:
            own.tallies[length] += Tally(up=max(_ZERO, min(length, now - begun_at)))
    return found


def _not_open(since: datetime, now: datetime) -> Iterable[tuple[int, Condition, datetime, datetime]]:
    """Yield every stretch of a watched page that was not open, with its body; open ones last to now."""
    main = (Watch.kind == CheckKind.PAGE, Watch.watched.is_(True))
    closed = (
        select(Watch.body_id, StateSpan.condition, StateSpan.started_at, StateSpan.ended_at)
        .join(Watch, Watch.check_id == StateSpan.check_id)
        .where(*main, StateSpan.ended_at > since, StateSpan.condition.not_in(_SOUND))
    )
    for body_id, condition, start, end in db.session().execute(closed):
        yield body_id, condition, start, end or now
    terms = terms_of_bodies(now)
    silent = now - timedelta(minutes=1)
    lasting = select(Watch.body_id, Watch.condition, Watch.since, Watch.sampled_at).where(
        *main, or_(Watch.condition.not_in(_SOUND), Watch.sampled_at < silent)
    )
    for row in db.session().execute(lasting):
        yield from _lasting(row, now, terms)


def _lasting(
    row: Row[int, Condition, datetime, datetime | None], now: datetime, terms: TermsBook
) -> Iterable[tuple[int, Condition, datetime, datetime]]:
    """Yield the stretch still open as far as it is not open; a prober that stands still knows nothing."""
    body_id, condition, since, sampled_at = row
    if condition in (Condition.MAINTENANCE, Condition.PAUSED) or sampled_at is None:
        yield body_id, condition, since, now
        return
    blind_from = max(since, sampled_at + terms.of(body_id).fresh)
    if condition not in _SOUND:
        yield body_id, condition, since, min(now, blind_from)
    if blind_from < now:
        yield body_id, Condition.UNKNOWN, blind_from, now


def _pooled(bodies: Mapping[int, _Spent], lengths: tuple[timedelta, ...]) -> dict[Scope, _Spent]:
    """Return bodies, their cities and the province, seconds added up."""
    places: Mapping[int, Place] = organisations.places(bodies)
    found: dict[Scope, _Spent] = {}
    for body_id, own in bodies.items():
        scopes: list[Scope] = [(MaintenanceScope.BODY, str(body_id)), (MaintenanceScope.PROVINCE, "")]
        city_code = places[body_id].city_code if body_id in places else None
        if city_code:
            scopes.append((MaintenanceScope.CITY, city_code))
        for scope in scopes:
            group = found.setdefault(scope, _Spent(0, dict.fromkeys(lengths, Tally())))
            group.pages += own.pages
            for length in lengths:
                group.tallies[length] += own.tallies[length]
    return found
