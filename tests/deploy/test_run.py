"""The start script: first start, Ctrl-C, second start; busy ports and missing secrets."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.deploy.starting import LINKS, Start, a_start
from tests.processes import Process, still_there, until

READY_SECONDS = 90
BROWSER_SECONDS = 10
REGISTERED = "registered, being checked"
SECRETS = ("HALL_SECRET_KEY", "HALL_VAULT_KEYS", "HALL_AUDIT_KEY")


@dataclass(frozen=True, slots=True)
class First:
    """What was seen of the first start, which has ended."""

    var: Path
    ports: list[int]
    said: str
    statuses: dict[str, int]
    exit_status: int
    left: set[Process]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[First]:
    """Start in an empty folder, look at every address that is told, end it while pages are checked."""
    folder = tmp_path_factory.mktemp("first")
    with a_start(folder, folder / "var") as start:
        start.wait_for_words(REGISTERED, READY_SECONDS)
        told = re.findall(r"http://\S+", start.said)
        statuses = {url: requests.get(url, timeout=10, allow_redirects=False).status_code for url in told}
        started = start.family()
        start.terminate()
        exit_status = start.wait_for_end()
        left = settled(started)
        yield First(folder / "var", start.ports, start.said, statuses, exit_status, left)


def settled(started: set[Process]) -> set[Process]:
    """Return what is left of processes that were told to end; browsers get a moment."""
    with suppress(AssertionError):
        until(lambda: not still_there(started), "all have ended", BROWSER_SECONDS)
    return still_there(started)


def names_of_links(said: str) -> list[str]:
    return re.findall(r"(\S+): http://\S+/staff/link/", said)


def test_a_first_start_tells_every_address_and_a_link_per_role(first: First) -> None:
    assert "广东省网上办事大厅手机版 is running" in first.said
    for words in ("residents' home", "staff", "wall", "API documentation", "phone (sandbox)", "sample pages"):
        assert re.search(rf"{re.escape(words)}\s+http://127\.0\.0\.1:\d+/", first.said)
    assert names_of_links(first.said) == [
        "省级审核员",
        "省级值守员",
        "部门经办员",
        "部门负责人",
        "地市经办员",
        "县（市、区）经办员",
        "审计员",
        "系统管理员",
    ]


def test_every_address_told_answers(first: First) -> None:
    strange = {url: status for url, status in first.statuses.items() if status not in {200, 302}}

    assert len(first.statuses) >= 13
    assert strange == {}


def test_asked_to_end_it_stops_every_process_and_says_so(first: First) -> None:
    assert first.exit_status == 0
    assert "The hall has stopped. The data is kept" in first.said
    assert "Traceback" not in first.said
    assert first.left == set()


def test_the_secrets_made_at_the_first_start_are_for_the_owner_alone(first: First) -> None:
    path = first.var / "secrets.env"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [line.split("=")[0] for line in path.read_text().splitlines()] == list(SECRETS)
    assert not [line for line in path.read_text().splitlines() if line.split("=", 1)[1] in first.said]


@pytest.mark.browser
def test_a_second_start_keeps_the_data_and_goes_on_where_the_first_ended(
    first: First, tmp_path: Path
) -> None:
    secrets = (first.var / "secrets.env").read_text()
    with a_start(tmp_path, first.var, first.ports) as start:
        start.wait_for_words(LINKS, READY_SECONDS)
        published = f"{start.base}/api/v1/published-pages"
        until(lambda: requests.get(published, timeout=10).json()["items"], "a page is online", READY_SECONDS)
        started = start.family()

        start.press_ctrl_c()

        assert start.wait_for_end() == 0
        assert settled(started) == set()
    assert REGISTERED not in start.said
    assert (first.var / "secrets.env").read_text() == secrets


def test_a_process_that_ends_by_itself_ends_all_and_points_to_the_logs(first: First, tmp_path: Path) -> None:
    with a_start(tmp_path, first.var, first.ports) as start:
        start.wait_for_words(LINKS, READY_SECONDS)
        started = start.family()

        os.kill(start.pid_of("monitor run"), signal.SIGKILL)

        assert start.wait_for_end() == 1
        assert settled(started) == set()
    assert f"A process ended by itself; see {first.var}/log" in start.said


def test_senseless_numbers_are_told_all_at_once_and_nothing_starts(tmp_path: Path) -> None:
    start = Start(tmp_path, tmp_path / "var")

    start.begin(HALL_PORT="abc", HALL_WEB_WORKERS="0", HALL_PROBE_INTERVAL_SECONDS="1")

    assert start.wait_for_end() == 1
    assert "HALL_PORT: must be a whole number from 1 to 65535" in start.said
    assert "HALL_WEB_WORKERS: must be a whole number from 1 to 64" in start.said
    assert "HALL_PROBE_INTERVAL_SECONDS: must be a whole number from 5 to 86400" in start.said


@pytest.mark.parametrize("number", [0, 1, 2], ids=["web", "sandbox", "sample pages"])
def test_a_busy_port_is_named_and_nothing_starts(tmp_path: Path, number: int) -> None:
    start = Start(tmp_path, tmp_path / "var")
    with socket.create_server(("127.0.0.1", start.ports[number])):
        start.begin()

        assert start.wait_for_end() == 1

    assert f"Port {start.ports[number]} is in use on 127.0.0.1" in start.said
    assert "HALL_SANDBOX_PORT" in start.said
    assert not list(tmp_path.glob("var/*.sqlite"))


def test_production_without_secrets_names_all_that_are_missing_and_starts_nothing(tmp_path: Path) -> None:
    start = Start(tmp_path, tmp_path / "var")

    start.begin(HALL_ENV="production", HALL_BASE_URL="https://hall.example.gov.cn")

    assert start.wait_for_end() == 1
    assert [name for name in SECRETS if name not in start.said] == []
    assert "Traceback" not in start.said
    assert not (tmp_path / "var" / "secrets.env").exists()
    assert not list(tmp_path.glob("var/log/web.log"))
