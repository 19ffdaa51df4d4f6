"""Each mini program holds a copy of what they share, as it can read no other folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.client import CLIENTS, need_packages

SHARED = CLIENTS / "shared"
FILES = sorted(one.relative_to(SHARED) for part in ("lib", "pages") for one in (SHARED / part).rglob("*.js"))
PROGRAMS = sorted(CLIENTS.glob("*-mini-program"))


@pytest.mark.parametrize("program", [pytest.param(one, id=one.name) for one in PROGRAMS])
def test_the_copies_are_as_the_shared_files(program: Path) -> None:
    changed = [str(one) for one in FILES if _read(program / one) != (SHARED / one).read_bytes()]

    assert changed == [], "change clients/shared, then: make clients"


def test_pages_decide_by_the_same_script_as_the_mini_programs() -> None:
    page = Path("app/core/static/applications/conditions.js")

    assert _read(page) == _read(SHARED / "lib" / "conditions.js"), "change clients/shared, then: make clients"


def _read(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""


def test_a_client_without_its_packages_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="Node half: .*make test"):
        need_packages(tmp_path)
