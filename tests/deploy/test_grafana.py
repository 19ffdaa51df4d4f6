"""The Grafana dashboard asks for figures that the hall really gives."""

import json
import re
from pathlib import Path

from app.core import clock
from tests.app.monitoring.builders import a_beat

DASHBOARD = json.loads(Path("deploy/grafana/hall-watch.json").read_text(encoding="utf-8"))


def test_every_figure_on_the_dashboard_is_there_to_read(client, given):
    given(a_beat, clock.system_clock())
    client.get("/healthz")
    asked = {
        name
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
        for name in re.findall(r"hall_\w+", target["expr"])
    }

    read = client.get("/metrics").text

    assert asked <= set(re.findall(r"^# TYPE (hall_\w+)", read, re.M)) | {"hall_request_seconds_bucket"}
    assert "hall_request_seconds_bucket{" in read


def test_panels_do_not_lie_over_each_other():
    taken = [
        (column, row)
        for panel in DASHBOARD["panels"]
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(taken) == len(set(taken))
    assert max(column for column, _ in taken) < 24
