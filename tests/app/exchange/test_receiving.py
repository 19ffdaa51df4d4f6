"""Messages come in: applied once, in order, corrected, held, refused."""

import pytest

from app.applications.service import State
from app.core import db
from app.exchange.service import Kind, MessageState
from tests.app.exchange.builders import a_system, take, the_case

LITE = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
DAY = (
    Kind.SB,
    Kind.WSYSL,
    Kind.BJGZ,
    Kind.BJSL,
    Kind.SL,
    Kind.SPCL,
    Kind.TBCXSQ,
    Kind.TBCXJG,
    Kind.BJ,
    Kind.LQDJ,
)


def test_a_departments_own_case_goes_its_whole_way(context):
    docked = db.transaction(a_system)

    states = [
        db.transaction(lambda seq=seq, kind=kind: take(docked, "GZ-1", kind, seq)).state
        for seq, kind in enumerate(DAY, start=1)
    ]

    assert states == [MessageState.APPLIED] * 10
    assert the_case().state is State.DELIVERED
