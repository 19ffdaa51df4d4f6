"""The prober's process: the library's prober between the registry and this capability's tables."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError

from app.core import clock, db
from app.core.errors import Unavailable
from app.mobile_access import service as mobile_access
from app.monitoring import checks, findings, policy, service
from app.monitoring.domain import CheckKind
from app.monitoring.service import Share, Terms
from config.settings import Settings
from mobile_pages.guard import AsyncResolve, Endpoint, Policy, parse_target
from mobile_pages.probe.base import ProbeResult, ProbeTarget
from mobile_pages.probe.browser import RenderedProber
from mobile_pages.probe.http import HttpProber
from mobile_pages.probe.outage import Outage
from mobile_pages.probe.runner import Looker, Prober, Stats, serve
from mobile_pages.probe.runner import Settings as Behaviour
from mobile_pages.probe.spool import Spool, SpooledStore
from mobile_pages.probe.steady import SteadyClock
from mobile_pages.probe.targets import RenderedTarget, TaskTarget
from mobile_pages.probe.task import TaskProber

log = logging.getLogger(__name__)

RELOAD_SECONDS = 4.0
LIST_EVERY = timedelta(seconds=60)
LIST_PER_TARGET = timedelta(milliseconds=1)
"""A long list is read rarely even while it keeps changing, as when a whole province fails."""
DRAIN_SECONDS = 1.0
_CANARY = "canary:"


@dataclass(frozen=True, slots=True)
class Network:
    """What names mean and whom to trust; by default as the system says.

    Attributes:
        resolve: called in the prober's loop.
    """

    resolve: AsyncResolve | None = None
    ca_file: str | None = None


class _Lookers:
    """Whoever fits the target; what staff registered passes the strict guard, our own canaries theirs."""

    def __init__(
        self, pages: Policy, canaries: Policy, now: Callable[[], datetime], network: Network
    ) -> None:
        self._pages = HttpProber(pages, now=now, resolve=network.resolve, ca_file=network.ca_file)
        self._canaries = HttpProber(canaries, now=now)
        self._tasks = TaskProber(self._pages)
        self._browser = RenderedProber(pages, now=now)

    async def look(self, target: ProbeTarget) -> ProbeResult:
        if isinstance(target, TaskTarget):
            return await self._tasks.look(target)
        if isinstance(target, RenderedTarget):
            return await self._browser.look(target)
        chosen = self._canaries if target.id.startswith(_CANARY) else self._pages
        return await chosen.look(target)

    async def close(self) -> None:
        await self._browser.close()
        await self._pages.close()
        await self._canaries.close()


class Desk:
    """What the prober asks for and reports to; its methods run in the prober's threads.

    Args:
        stats: tells the prober's health at this moment.
    """

    def __init__(self, app: Flask, name: str, terms: Terms, stats: Callable[[], Stats]) -> None:
        self._app = app
        self._name = name
        self._terms = terms
        self._stats = stats
        self._intake = service.Intake(name, terms)
        self._targets: Mapping[int, ProbeTarget] = {}
        self._stamp: object = None
        self._listed_at: datetime | None = None
        self._told_at: datetime | None = None

    def load(self) -> Sequence[ProbeTarget]:
        """Return what must be looked at from here; note a sign of life and renew the leases."""
        now = clock.system_clock()
        with self._app.app_context():
            self._list(now)
            share = db.transaction(lambda: self._report(now))
            asked = service.asked_of(self._name, share.alive)
        self._intake.second_at_hand = len(share.alive) > 1
        own = [one for check_id, one in self._targets.items() if service.shard_of(check_id) in share.shards]
        held = {one.id for one in own}
        seconds = [self._targets[check_id] for check_id in asked if check_id in self._targets]
        return [*own, *(replace(one, soon=True) for one in seconds if one.id not in held)]

    def targets(self, check_ids: Iterable[int]) -> Sequence[ProbeTarget]:
        """Return those of the checks that are to be looked at, whoever leases them; note a sign of life."""
        now = clock.system_clock()
        with self._app.app_context():
            self._list(now)
            if self._told_at is None or (now - self._told_at).total_seconds() >= RELOAD_SECONDS:
                db.transaction(lambda: service.beat(self._name, self._stats(), now=now))
                self._told_at = now
        return [self._targets[check_id] for check_id in check_ids if check_id in self._targets]

    def store(self, results: Sequence[ProbeResult]) -> None:
        """Store a batch and draw the conclusions, all of it or nothing."""
        with self._app.app_context():
            learnt = db.transaction(lambda: self._intake.take_in(results))
            self._intake.remember(learnt)
            findings.keep(results)

    def tell_outage(self, outage: Outage) -> None:
        """Take back what was seen while our own network was away; its return changes nothing."""
        if outage.over:
            return
        with self._app.app_context():
            for page_ids in service.watched_ids():
                db.transaction(lambda ids=page_ids: service.void_outage(outage, ids, self._terms))  # type: ignore[misc]

    def leave(self) -> None:
        """Let others take over at once."""
        with self._app.app_context():
            db.transaction(lambda: service.leave(self._name, now=clock.system_clock()))

    def _list(self, now: datetime) -> None:
        """Read the list again when it changed, now and then in any case; bring the watch in line."""
        if self._listed_at is not None and now - self._listed_at < LIST_PER_TARGET * len(self._targets):
            return
        stamp = (mobile_access.watched_stamp(), checks.stamp())
        if self._listed_at is not None and stamp == self._stamp and now - self._listed_at < LIST_EVERY:
            return
        pages = mobile_access.watched_pages()
        if checks.health_differs(pages):
            db.transaction(lambda: checks.keep_health_checks(pages, now=now))
        found = checks.targets(pages, policy.terms_of_bodies(now))
        further = [one for one in found if one.kind is not CheckKind.PAGE]
        if service.differs(pages, further):
            db.transaction(lambda: service.take_list(pages, self._terms, now=now, further=further))
        self._targets = {one.check_id: one.target for one in found}
        self._intake.own = {one.check_id: one.terms for one in found if one.terms != self._terms}
        self._intake.forget(self._targets)
        self._stamp, self._listed_at = stamp, now

    def _report(self, now: datetime) -> Share:
        service.beat(self._name, self._stats(), now=now)
        return service.renew(self._name, now=now)


def watch(app: Flask, settings: Settings, name: str) -> None:
    """Watch until a signal comes, then let other provers take over at once."""
    prober, desk = build_prober(app, settings, name)
    serve(prober)
    try:
        desk.leave()
    except Unavailable:
        log.warning("prober_left_unsaid")  # its leases lapse by themselves


def is_away(error: Exception) -> bool:
    """Tell a database that is away or full from one that refuses what it is told."""
    return isinstance(error, Unavailable | OperationalError | InterfaceError)


def lookers(settings: Settings, steady: SteadyClock, network: Network | None = None) -> Looker:
    """Return what looks at targets of every kind; to be made in the loop it is used in."""
    guarding = mobile_access.outbound_guard(settings).policy
    return _Lookers(guarding, _canary_policy(settings, guarding), steady.now, network or Network())


def build_prober(
    app: Flask, settings: Settings, name: str, network: Network | None = None
) -> tuple[Prober, Desk]:
    """Return the prober of this installation, not yet running, and its desk."""
    terms = service.terms(settings)
    steady = SteadyClock()

    def make_looker() -> Looker:
        return lookers(settings, steady, network)

    def stats() -> Stats:
        seen = prober.stats()
        waiting, lost = seen.waiting + shelf.waiting, seen.lost + shelf.lost_count
        return replace(seen, waiting=waiting, lost=lost, spooled=shelf.waiting)

    desk = Desk(app, name, terms, stats)
    spool = Spool(settings.var_dir / "probe-spool" / quote(name, safe=""))
    shelf = SpooledStore(desk.store, desk.tell_outage, spool, is_away)
    behaviour = Behaviour(
        references=references(settings, terms),
        reload_seconds=RELOAD_SECONDS,
        drain_seconds=DRAIN_SECONDS,
        rule=terms.rule,
    )
    prober = Prober(make_looker, desk.load, shelf.store, shelf.tell_outage, behaviour, steady)
    return prober, desk


def references(settings: Settings, terms: Terms) -> tuple[ProbeTarget, ...]:
    """Return the addresses that tell whether our own network works."""
    return tuple(
        ProbeTarget(
            id=f"{_CANARY}{number}",
            url=url,
            interval_seconds=terms.interval_seconds,
            timeout_seconds=terms.timeout_seconds,
        )
        for number, url in enumerate(settings.probe_canaries)
    )


def _canary_policy(settings: Settings, policy: Policy) -> Policy:
    """Return the pages' policy, in demo and test with the canaries' own addresses besides."""
    if not settings.may_reach_loopback:
        return policy
    targets = [parse_target(url) for url in settings.probe_canaries]
    own = [
        Endpoint(ipaddress.ip_network(target.literal), target.port)
        for target in targets
        if target.literal is not None
    ]
    return Policy(allow=(*policy.allow, *own), deny=policy.deny, test_or_demo=policy.test_or_demo)
