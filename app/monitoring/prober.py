"""The prober's process: the library's prober between the registry and this capability's tables."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

from flask import Flask

from app.core import clock, db
from app.mobile_access import service as mobile_access
from app.monitoring import service
from app.monitoring.service import Terms
from config.settings import Settings
from mobile_pages.guard import Endpoint, Policy, parse_target
from mobile_pages.probe.base import ProbeResult, ProbeTarget
from mobile_pages.probe.http import HttpProber
from mobile_pages.probe.outage import Outage
from mobile_pages.probe.runner import Looker, Prober, Stats
from mobile_pages.probe.runner import Settings as Behaviour

RELOAD_SECONDS = 5.0
DRAIN_SECONDS = 1.0
_CANARY = "canary:"


class _Lookers:
    """Two lookers: what staff registered passes the strict guard, our own canaries theirs."""

    def __init__(self, pages: Policy, canaries: Policy) -> None:
        self._pages = HttpProber(pages)
        self._canaries = HttpProber(canaries)

    async def look(self, target: ProbeTarget) -> ProbeResult:
        chosen = self._canaries if target.id.startswith(_CANARY) else self._pages
        return await chosen.look(target)

    async def close(self) -> None:
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

    def load(self) -> Sequence[ProbeTarget]:
        """Return what must be looked at, having brought the watch in line and noted a sign of life."""
        now = clock.system_clock()
        with self._app.app_context():
            pages = mobile_access.watched_pages()
            if service.differs(pages):
                db.transaction(lambda: service.take_list(pages, self._terms, now=now))
            db.transaction(lambda: service.beat(self._name, self._stats(), now=now))
        return [self._target(page.id, page.url) for page in pages]

    def store(self, results: Sequence[ProbeResult]) -> None:
        """Store a batch and draw the conclusions, all of it or nothing."""
        with self._app.app_context():
            db.transaction(lambda: service.ingest(self._name, results, self._terms))

    def tell_outage(self, outage: Outage) -> None:
        """Take back what was seen while our own network was away; its return changes nothing."""
        if outage.over:
            return
        with self._app.app_context():
            for page_ids in service.watched_ids():
                db.transaction(lambda ids=page_ids: service.void_outage(outage, ids, self._terms))  # type: ignore[misc]

    def _target(self, page_id: int, url: str) -> ProbeTarget:
        return ProbeTarget(
            id=str(page_id),
            url=url,
            interval_seconds=self._terms.interval_seconds,
            timeout_seconds=self._terms.timeout_seconds,
            slow_ms=self._terms.slow_ms,
        )


def build_prober(app: Flask, settings: Settings, name: str) -> Prober:
    """Return the prober of this installation, not yet running."""
    terms = service.terms(settings)
    policy = mobile_access.outbound_guard(settings).policy
    canary_policy = _canary_policy(settings, policy)

    def make_looker() -> Looker:
        return _Lookers(policy, canary_policy)

    def stats() -> Stats:
        return prober.stats()

    desk = Desk(app, name, terms, stats)
    behaviour = Behaviour(
        references=_canaries(settings, terms),
        reload_seconds=RELOAD_SECONDS,
        drain_seconds=DRAIN_SECONDS,
        rule=terms.rule,
    )
    prober = Prober(make_looker, desk.load, desk.store, desk.tell_outage, behaviour)
    return prober


def _canaries(settings: Settings, terms: Terms) -> tuple[ProbeTarget, ...]:
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
