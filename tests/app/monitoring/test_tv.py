"""The wall on a big screen: a secret of its own, no session, nothing to change."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from app.core import clock, vault
from app.core.errors import Invalid, NotFound
from app.monitoring import service
from app.monitoring.tv_pages import MAP
from app.organisations.service import Principal
from tests.app.monitoring.builders import a_watched_page
from tests.builders import a_principal, a_region, sign_in, submit

DAYS = 30


def a_display(by: Principal, city_code: str = "", **changed) -> str:
    """Admit a screen and return its secret."""
    wanted = {"days": DAYS, "now": clock.system_clock(), **changed}
    return service.create_display(by, "值班室电视", city_code, **wanted)[1]


def test_a_screen_shows_the_wall_with_nobody_signed_in(client, given):
    given(a_watched_page)
    secret = given(lambda: a_display(a_principal("province_watch")))

    entered = client.get(f"/tv/enter/{secret}", follow_redirects=True)

    assert entered.request.path == "/tv"
    assert "监测中的网页" in entered.text
    assert client.get("/tv/live").status_code == 200
    assert client.get("/wall").status_code == 401


def test_without_secret_or_session_the_screen_leads_to_signing_in(client):
    answer = client.get("/tv")

    assert (answer.status_code, answer.location) == (303, "/staff/sign-in")


@pytest.mark.parametrize("days_later", [DAYS, 10_000])
def test_a_screen_shows_nothing_after_its_time(app, given, days_later):
    now = clock.system_clock()
    secret = given(lambda: a_display(a_principal("province_watch"), now=now))

    with app.app_context():
        assert service.viewer_of(secret, now=now + timedelta(days=days_later)) is None


def test_a_screen_that_was_ended_shows_nothing_any_more(client, given):
    by = given(a_principal, "province_watch")
    secret = given(lambda: a_display(by))
    client.get(f"/tv/enter/{secret}")
    shown = given(lambda: service.displays(by, now=clock.system_clock()))

    given(lambda: service.end_display(by, shown[0].id, now=clock.system_clock()))

    assert client.get("/tv/live").status_code == 404
    assert client.get(f"/tv/enter/{secret}").status_code == 404


def test_a_city_gives_screens_of_itself_only(app, given):
    given(a_region, "440300")
    by = given(a_principal, "city_operator", region_code="440100")

    with pytest.raises(NotFound):
        given(lambda: a_display(by, ""))
    with pytest.raises(NotFound):
        given(lambda: a_display(by, "440300"))
    assert given(lambda: a_display(by, "440100"))


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_screen_lives_from_a_day_to_a_year(given, days):
    by = given(a_principal, "province_watch")

    with pytest.raises(Invalid):
        given(lambda: a_display(by, days=days))


def test_only_the_digest_of_the_secret_is_kept(app, given):
    secret = given(lambda: a_display(a_principal("province_watch")))

    with app.app_context():
        assert service.viewer_of(vault.hash_secret(secret), now=clock.system_clock()) is None


def test_staff_make_a_screen_on_the_console_and_see_its_address_once(client, given):
    sign_in(client, given, given(a_principal, "province_watch"))

    made = submit(client, "/tv/displays", name="大厅", city_code="", days="90").text

    assert re.search(r"/tv/enter/[\w-]{43}", made)
    assert not re.search(r"/tv/enter/[\w-]{43}", client.get("/tv/displays").text)


def test_every_city_has_a_place_of_its_own_on_the_map():
    regions = yaml.safe_load(Path("config/notice/regions.yaml").read_text(encoding="utf-8"))

    assert {city["code"] for city in regions["cities"]} == MAP.keys()
    assert len(set(MAP.values())) == len(MAP)
