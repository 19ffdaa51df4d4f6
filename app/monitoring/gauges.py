"""How the watch stands, for Prometheus: pages and incidents by group, the probers' health."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from app.core import clock
from app.monitoring import service
from app.monitoring.service import Condition, GroupStanding, PlaceGauge, ProberView

_SHOWN = (Condition.UP, Condition.DEGRADED, Condition.DOWN, Condition.UNKNOWN)

_OF_A_PROBER: dict[str, tuple[str, Callable[[ProberView], float]]] = {
    "up": ("1 while the prober reports", lambda one: float(one.alive)),
    "own_network_ok": ("0 while the prober itself is cut off", lambda one: float(one.own_network_ok)),
    "lag_p99_ms": ("How late looks begin, milliseconds", lambda one: one.lag_p99_ms),
    "targets": ("Checks the prober looks at", lambda one: one.targets),
    "looks": ("Looks since the prober started", lambda one: one.looks),
    "missed": ("Looks missed since the prober started", lambda one: one.missed),
    "waiting": ("Results not stored yet", lambda one: one.waiting),
    "running": ("Looks under way", lambda one: one.running),
    "spooled": ("Results that wait on disk", lambda one: one.spooled),
    "lost": ("Results given up since the prober started", lambda one: one.lost),
}


def collect() -> Iterator[Metric]:
    """Yield the gauges; a group (``city``, ``name``) is a city or the provincial bodies (``""``)."""
    now = clock.system_clock()
    terms = service.terms_now(now)
    yield from _pages(service.standing(terms, now=now))
    yield from _places(service.place_gauges(now=now))
    yield from _probers(service.probers(now=now))


def _pages(groups: list[GroupStanding]) -> Iterator[Metric]:
    labels = ["city", "name"]
    pages = GaugeMetricFamily("hall_watch_pages", "Watched pages by condition", labels=[*labels, "condition"])
    incidents = GaugeMetricFamily("hall_watch_open_incidents", "Incidents that last", labels=labels)
    for group in groups:
        place = [group.city_code, group.name]
        for condition in _SHOWN:
            pages.add_metric([*place, condition.value], getattr(group.counts, condition.value))
        incidents.add_metric(place, group.open_incidents)
    yield pages
    yield incidents


def _places(places: list[PlaceGauge]) -> Iterator[Metric]:
    labels = ["city", "name"]
    rates = GaugeMetricFamily(
        "hall_watch_availability_30d_ratio", "Open time by known time, 30 days", labels=labels
    )
    days = GaugeMetricFamily(
        "hall_watch_certificate_days", "Days until the first certificate ends", labels=labels
    )
    for one in places:
        place = [one.city_code, one.name]
        if one.availability_rate is not None:
            rates.add_metric(place, one.availability_rate)
        if one.certificate_days is not None:
            days.add_metric(place, one.certificate_days)
    yield rates
    yield days


def _probers(probers: list[ProberView]) -> Iterator[Metric]:
    for name, (words, read) in _OF_A_PROBER.items():
        gauge = GaugeMetricFamily(f"hall_prober_{name}", words, labels=["prober"])
        for one in probers:
            gauge.add_metric([one.name], read(one))
        yield gauge
