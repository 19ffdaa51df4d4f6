"""The demo's department system is docked as a real one is."""

from __future__ import annotations

import json
import stat
from dataclasses import replace

import pytest

from app.core import clock
from app.demo.catalogue import add_items
from app.demo.exchange import BODY, CODE, dock, write_keys
from app.exchange import service
from app.exchange.service import MessageState, SystemState
from app.third_parties.service import Stage
from config import items
from tests.builders import a_body, a_principal

LITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def a_place():
    """Add the demo's item where its system stands."""
    a_body("广州市天河区", "440106")
    sample = next(one for one in items.samples() if one.name == "居住证申领")
    here = tuple(one for one in sample.implementations if one.body == BODY)
    add_items([replace(sample, implementations=here)], clock.system_clock())


@LITE
def test_it_is_live_with_messages_that_need_somebody_and_a_second_start_adds_nothing(app, given):
    given(a_place)

    keys = given(dock, now=clock.system_clock())

    assert given(dock, now=clock.system_clock()) is None
    by = given(a_principal, "province_reviewer")
    (system,) = given(service.listing, by)
    assert (system.code, system.state, keys["system"]) == (CODE, SystemState.LIVE, CODE)
    waiting = given(service.queue, by, stage=Stage.PRODUCTION)
    assert {one.state for one in waiting} == {MessageState.QUARANTINED, MessageState.REJECTED}


def test_its_keys_are_for_their_owner_only(tmp_path):
    path = tmp_path / "var" / "department.json"

    write_keys(path, {"system": CODE})
    write_keys(path, {"system": CODE})

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text(encoding="utf-8")) == {"system": CODE}
