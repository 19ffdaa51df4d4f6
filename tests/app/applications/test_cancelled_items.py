"""An item is not cancelled while somebody waits for a decision by it."""

import pytest

from app.applications.open_cases import open_cases_of
from app.catalogue import editing
from app.catalogue.service import VersionEvent
from app.core import installation
from app.core.errors import Conflict
from tests.app.applications.builders import State, a_case, row_of
from tests.builders import NOW, a_principal


def cancel(given, version_id):
    reviewer = given(a_principal, "province_reviewer")
    given(
        editing.move,
        reviewer,
        version_id,
        VersionEvent.CANCEL,
        version=4,
        reason="法律已经废止",
        open_cases=installation.open_cases_of,
        now=NOW,
    )


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_an_item_with_an_open_case_is_not_cancelled(app, given):
    case = given(a_case, State.SUBMITTED)
    with app.app_context():
        version_id = row_of(case).item_version_id
        assert open_cases_of(version_id) == 1

    with pytest.raises(Conflict, match="还有 1 件没有办结"):
        cancel(given, version_id)


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_an_item_whose_cases_have_ended_is_cancelled(app, given):
    case = given(a_case, State.NOT_ACCEPTED)
    with app.app_context():
        version_id = row_of(case).item_version_id

    cancel(given, version_id)

    with app.app_context():
        assert open_cases_of(version_id) == 0
