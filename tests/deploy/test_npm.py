"""Node's packages: installed with whatever Node there is, pinned, and from no particular place."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = (".", "tests/interop", "bench/peers/node")


def test_a_machine_without_node_uses_the_one_of_the_requirements(tmp_path: Path) -> None:
    for tool in ("sh", "dirname"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)

    done = subprocess.run(
        [ROOT / "deploy/npm.sh", "--version"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split(".")[0]) >= 10


@pytest.mark.parametrize("folder", FOLDERS)
def test_packages_are_pinned_by_content_and_bound_to_no_registry(folder: str) -> None:
    wanted = json.loads((ROOT / folder / "package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]

    assert all(version[0].isdigit() for version in wanted.values())
    packages = {name: package for name, package in locked.items() if name}
    assert all("integrity" in package for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
