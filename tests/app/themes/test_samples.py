"""The sample themes over the sample items: sound everywhere, whole somewhere, one under way."""

import pytest

from app.core import db
from app.demo import catalogue as demo_items
from app.demo import themes as demo
from app.organisations.service import import_notice
from app.themes import service, versions
from app.themes.availability import Catalogue
from config import items, notice, themes
from tests.app.applications.builders import a_resident
from tests.builders import NOW

pytestmark = [
    pytest.mark.parametrize("app", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("context"),
]
SAMPLES = themes.samples()
USED = {one["code"] for sample in SAMPLES for one in sample["items"]}


def the_sample_items():
    db.transaction(lambda: import_notice(notice.load(), lambda _done, _total: None))
    wanted = [one for one in items.samples() if one.code in USED]
    db.transaction(lambda: demo_items.add_items(wanted, NOW))


def test_the_samples_are_sound_and_one_is_under_way_in_the_demo():
    the_sample_items()

    added = db.transaction(lambda: demo.add_themes(SAMPLES, NOW))
    resident = db.transaction(a_resident)
    made = db.transaction(lambda: demo.apply(resident, NOW))

    assert added == len(SAMPLES) >= 3
    case = service.my_case(resident, made)
    assert case.state is service.State.RUNNING or case.state is service.State.WAITING_PREREQUISITE
    known = Catalogue()
    for view in service.newest_versions():
        assert [one for one in versions.checked(view.definition, known) if one.error] == []
        assert known.placed(view.definition, "440106").whole
