"""An account that was closed: what it was told is gone, and nothing more is told."""

from __future__ import annotations

import pytest

from app.core import db
from app.core.runner import Worker
from app.core.vault import VaultEntry
from app.identity import service as identity
from app.notices import service
from app.notices.domain import VALUES_FIELD, DeliveryState
from app.notices.models import Preference
from tests.app.notices.builders import a_form, a_resident, a_template, an_account, attempts, tell, the
from tests.builders import NOW

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def told(context):
    """Tell a resident something; return the resident and the message that is on its way."""
    account = db.transaction(an_account)
    resident_id = db.transaction(lambda: a_resident(account))
    db.transaction(lambda: a_template(a_form(account)))
    known = service.settings(resident_id)
    db.transaction(lambda: service.change_settings(resident_id, known, version=known.version, now=NOW))
    return resident_id, tell(resident_id)


def test_what_a_closed_account_was_told_is_deleted_and_no_longer_on_its_way(app, told):
    resident_id, message_id = told

    db.transaction(lambda: identity.close(resident_id, now=NOW))
    Worker(app, app.extensions["hall_jobs"]).drain()

    assert the(message_id).values_token is None
    assert db.session().query(VaultEntry).filter_by(field=VALUES_FIELD).count() == 0
    assert db.session().query(Preference).count() == 0
    assert attempts() == []
    assert the(message_id).state is not DeliveryState.CREATED
