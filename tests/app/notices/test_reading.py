"""Read in the hall is delivered there, and nothing else is."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from app.core import db
from app.notices import service
from tests.app.notices.builders import a_resident, a_template, an_account, go, later, states, tell
from tests.builders import NOW

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def a_reader():
    db.transaction(a_template)
    return db.transaction(lambda: a_resident(an_account()))


def test_reading_all_does_not_deliver_what_came_after_the_page_was_asked_for(context):
    resident_id = a_reader()
    early, late = tell(resident_id), tell(resident_id, once="case:2", now=later(minutes=1))
    for message_id in (early, late):
        go(message_id, later(minutes=1))

    db.transaction(lambda: service.mark_all_read(resident_id, NOW))

    assert (states(early), states(late)) == ({"hall": "delivered"}, {"hall": "accepted"})


def test_reading_all_takes_as_many_statements_for_many_as_for_few(app, context):
    resident_id = a_reader()
    counts = []

    def count(*_told):
        counts[-1] += 1

    engine = app.extensions["hall_db"].write_engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        for size in (2, 12):
            counts.append(0)
            for number in range(size):
                go(tell(resident_id, once=f"{size}:{number}"))
            counts[-1] = 0
            db.transaction(lambda: service.mark_all_read(resident_id, NOW))
    finally:
        event.remove(engine, "before_cursor_execute", count)

    assert counts[0] == counts[1]
