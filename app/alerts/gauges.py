"""How alerts are delivered, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from app.alerts import service
from app.core import clock


def collect() -> Iterator[Metric]:
    """Yield the deliveries of the last day by state."""
    gauge = GaugeMetricFamily("hall_alert_deliveries", "Deliveries of the last day", labels=["state"])
    for state, count in service.deliveries_by_state(now=clock.system_clock()).items():
        gauge.add_metric([state.value], count)
    yield gauge
