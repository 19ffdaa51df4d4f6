"""How notices fare, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from app.channel_accounts import service as channel_accounts
from app.core import clock
from app.notices import service

SPAN = timedelta(days=1)


def collect() -> Iterator[Metric]:
    """Yield the deliveries of the last day by way and state, and which accounts' breakers are open."""
    now = clock.system_clock()
    gauge = GaugeMetricFamily(
        "hall_notice_deliveries", "Deliveries of notices of the last day", labels=["way", "state"]
    )
    for (way, state), count in service.deliveries_by_state(now, SPAN).items():
        gauge.add_metric([way, state.value], count)
    yield gauge
    breakers = GaugeMetricFamily(
        "hall_notice_breaker_open", "1 while an account's sending is interrupted", labels=["account"]
    )
    broken = service.open_breakers()
    for account in channel_accounts.accounts():
        breakers.add_metric([account.key], int(account.id in broken))
    yield breakers
