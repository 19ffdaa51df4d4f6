"""The demo's desk of items: something to review, something to mend, something to compare."""

import pytest
from sqlalchemy import select

from app.catalogue.models import ItemStanding
from app.core import db
from app.demo.catalogue import add_items
from app.demo.catalogue_desk import show_desk
from app.organisations import service as organisations
from config import items, notice
from tests.builders import NOW

SAMPLES = items.samples()[:3]


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_a_newcomer_finds_a_version_in_review_one_returned_and_one_in_work(app, given):
    given(organisations.import_notice, notice.load(), lambda _done, _total: None)
    given(add_items, SAMPLES, NOW)

    assert (given(show_desk, SAMPLES, NOW), given(show_desk, SAMPLES, NOW)) == (3, 0)

    with app.app_context():
        states = set(db.session().scalars(select(ItemStanding.newest_state)))
    assert {"in_review", "returned", "draft"} <= states
