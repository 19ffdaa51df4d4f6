from datetime import date

import pytest

from app.mobile_access.waivers import waivers_for
from config.settings import Settings
from tests.builders import an_environment

TODAY = date(2026, 3, 2)


def waived(url, **changed):
    return {waiver.code for waiver in waivers_for(url, Settings.from_env(an_environment(**changed)), TODAY)}


def test_a_page_on_this_machine_is_excused_from_what_it_cannot_have():
    assert waived("http://127.0.0.1:8102/huzheng/") == {"MAS-TRN-01", "MAS-ENT-02"}


@pytest.mark.parametrize("url", ["https://www.gd.gov.cn/", "http://10.0.0.1/", "http://127.0.0.1.gd.gov.cn/"])
def test_no_other_page_is(url):
    assert waived(url) == set()


def test_nothing_is_excused_in_production():
    assert waived("http://127.0.0.1:8102/", HALL_ENV="production") == set()
