"""Who may be written to: what is remembered of it is only what was written down."""

from __future__ import annotations

import pytest

from app.core import db
from app.notices import contacts, service
from tests.app.notices.builders import an_account
from tests.builders import NOW

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


class Undone(Exception):
    pass


def test_a_word_whose_transaction_was_undone_is_written_down_the_next_time(context):
    account = db.transaction(an_account)

    def note(*, undone):
        service.note_contact(account, "oSomebody", NOW)
        with db.writing().begin_nested():
            pass
        if undone:
            raise Undone

    with pytest.raises(Undone):
        db.transaction(lambda: note(undone=True))
    db.transaction(lambda: note(undone=False))

    assert contacts.standing(account.id, "oSomebody", NOW).may_write
