"""The process starts on both ports, stops at a signal, and says what is wrong with its configuration."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox import builders


def started(tmp_path: Path, raw: Any) -> subprocess.Popen[str]:
    path = tmp_path / "sandbox.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    path.chmod(0o600)
    command = [sys.executable, "-m", "sandbox", "--config", str(path), "--port", "0", "--pages-port", "0"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def addresses(process: subprocess.Popen[str]) -> list[str]:
    """Return the two addresses the process tells when it is ready."""
    assert process.stderr is not None
    found: list[str] = []
    while len(found) < 2 and (line := process.stderr.readline()):
        found += re.findall(r"http://\S+", line)
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_both_ports_and_stops_at_a_signal_although_a_page_hangs(
    tmp_path: Path, number: signal.Signals
) -> None:
    with started(tmp_path, builders.raw_config([builders.raw_wechat()])) as process:
        phone, catalogue = addresses(process)
        statuses = [requests.get(url, timeout=10).status_code for url in (phone, catalogue)]
        with pytest.raises(requests.ReadTimeout):
            requests.get(catalogue.replace("catalogue.json", "zhuanli/"), timeout=0.3)

        process.send_signal(number)

        assert process.wait(timeout=10) == 0
        assert statuses == [200, 200]


def test_a_wrong_configuration_ends_it_with_every_problem_named(tmp_path: Path) -> None:
    with started(tmp_path, {"hall_base": "x", "accounts": 5}) as process:
        _, told = process.communicate(timeout=20)

        assert process.returncode == 2
        assert "hall_base" in told
        assert "accounts" in told
