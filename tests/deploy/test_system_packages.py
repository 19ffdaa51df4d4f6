"""The list of Debian packages: installed by root, told to everybody else, never a reason to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
NOBODY = 65534


def listed(purpose: str) -> list[str]:
    """Return the packages of the list; a Python like the stub's brings its own venv."""
    lines = (DEPLOY / "debian-packages.txt").read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return [name for name, needed in rows if needed in {"run", purpose} and name != "python3-venv"]


FOR_RUN, FOR_TEST, FOR_BENCH = listed("run"), listed("test"), listed("bench")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may read, with the script, its list and a machine of stubs in ``bin``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for file in ("system-packages.sh", "debian-packages.txt"):
            shutil.copy(DEPLOY / file, folder)
        (folder / "bin").mkdir(mode=0o755)
        for tool in ("sh", "awk", "dirname", "grep", "id"):
            (folder / "bin" / tool).symlink_to(shutil.which(tool) or tool)
        a_tool(folder, "python3", "exit 0")
        a_tool(folder, "apt-get", f'echo "$@" >>{folder}/apt-get.log')
        yield folder


def a_tool(place: Path, name: str, script: str) -> None:
    path = place / "bin" / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(place: Path, purpose: str, *, user: int | None = None) -> str:
    """Run the script on the machine of stubs and return what it says; it never fails."""
    done = subprocess.run(
        [place / "system-packages.sh", purpose],
        env={"PATH": str(place / "bin")},
        user=user if os.geteuid() == 0 else None,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def apt_log(place: Path) -> list[str]:
    path = place / "apt-get.log"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize(
    ("purpose", "packages"), [("run", FOR_RUN), ("test", FOR_TEST), ("bench", FOR_BENCH)]
)
def test_who_is_not_root_is_told_the_one_line_that_installs_what_is_missing(
    place: Path, purpose: str, packages: list[str]
) -> None:
    a_tool(place, "dpkg-query", "exit 1")

    said = run(place, purpose, user=NOBODY)

    line = f"sudo apt-get install --no-install-recommends {' '.join(packages)}"
    assert [one.strip() for one in said.splitlines()] == ["Missing system packages. Install them with:", line]
    assert apt_log(place) == []


def test_root_gets_what_is_missing_installed(place: Path) -> None:
    a_tool(place, "dpkg-query", "exit 1")
    a_tool(place, "id", "echo 0")

    said = run(place, "run")

    assert said == f"Installing system packages: {' '.join(FOR_RUN)}\n"
    assert apt_log(place) == ["update -qq", f"install -y -qq --no-install-recommends {' '.join(FOR_RUN)}"]


def test_an_installation_that_fails_is_told_and_stops_nothing(place: Path) -> None:
    a_tool(place, "dpkg-query", "exit 1")
    a_tool(place, "id", "echo 0")
    a_tool(place, "apt-get", "exit 100")

    assert f"Could not install: {' '.join(FOR_RUN)}" in run(place, "run")


def test_only_what_is_missing_is_named(place: Path) -> None:
    a_tool(place, "dpkg-query", 'case "$*" in *fonts*) exit 1;; *) echo "install ok installed";; esac')

    assert run(place, "run", user=NOBODY).endswith("--no-install-recommends fonts-wqy-zenhei\n")


def test_nothing_is_said_when_everything_is_there(place: Path) -> None:
    a_tool(place, "dpkg-query", 'echo "install ok installed"')

    assert run(place, "test", user=NOBODY) == ""


def test_a_system_without_debian_packages_is_told_what_to_provide(place: Path) -> None:
    said = run(place, "run", user=NOBODY)

    assert said.startswith("Not a Debian system; please provide:")
    assert [package for package in FOR_RUN if package not in said] == []
