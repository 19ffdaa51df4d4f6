"""A web worker loads what it uses; jobs and commands come when somebody asks for them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from app import capabilities, collect_jobs
from app.core.later import JobTable, load
from tests.builders import an_environment

NEVER_IN_WEB = {
    *("pycurl", "tornado", "uvloop", "aiodns", "websockets", "openpyxl", "alembic", "honcho"),
    *("app.mobile_access.jobs", "mobile_pages.gather.static", "mobile_pages.probe.http"),
}


def test_a_web_worker_does_without_the_checker_the_prober_and_the_spreadsheets(tmp_path):
    environment = an_environment(DATABASE_URL=f"sqlite:///{tmp_path}/hall.sqlite", PATH=os.environ["PATH"])
    code = "import sys, wsgi; print('\\n'.join(sys.modules))"

    loaded = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    assert "app.mobile_access.service" in loaded.stdout.split()
    assert NEVER_IN_WEB & set(loaded.stdout.split()) == set()


@pytest.mark.parametrize("capability", capabilities(), ids=lambda one: one.name)
def test_every_reference_leads_to_jobs_or_commands(capability):
    jobs = load(capability.jobs) if capability.jobs else ()
    commands = {group.name: group.list_commands(None) for group in capability.commands}

    assert all(job.name.startswith(f"{capability.name}.") for job in jobs)
    assert all(commands.values())


def test_the_group_named_is_the_group_loaded():
    for capability in capabilities():
        for group in capability.commands:
            behind = load(group._reference)
            assert (group.name, group.help) == (behind.name, behind.help)


def test_jobs_are_collected_at_the_first_look_and_once():
    looks = []
    table = JobTable(lambda: looks.append(1) or collect_jobs(capabilities()))

    assert looks == []
    assert "core.forget-answers" in table
    assert len(table) == len(list(table)) == len({job.name for job in table.values()})
    assert looks == [1]
