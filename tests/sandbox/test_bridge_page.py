"""The sample page that tries hall-bridge.js: as a department would load it, in every place it can pretend."""

from __future__ import annotations

import io
import threading

import pytest

from app.portal import bridge
from sandbox.pages.outage import Outage
from sandbox.pages.site import PLACES, create_pages
from tests.sandbox.builders import a_config

HALL = "http://127.0.0.1:8100"


@pytest.fixture
def client():
    outage = Outage(a_config().outage, lambda: 0.0)
    return create_pages(outage, threading.Event(), HALL).test_client()


def test_the_script_is_loaded_as_the_guide_says(client):
    page = client.get("/qiao/").text

    assert f'src="{HALL}/bridge/{bridge.LATEST}/hall-bridge.js"' in page
    assert f'integrity="{bridge.RELEASES[bridge.LATEST]}"' in page


@pytest.mark.parametrize("place", [*PLACES, "fax", "<b>"])
def test_every_place_has_its_page_and_no_other_is_repeated(client, place):
    answer = client.get("/qiao/", query_string={"as": place})

    assert answer.status_code == 200
    assert f"script-src 'self' {HALL};" in answer.headers["Content-Security-Policy"]
    assert "<b>" not in answer.text


@pytest.mark.parametrize("name", ["bridge.js", "pretend.js"])
def test_the_pages_scripts_are_served(client, name):
    assert client.get(f"/assets/{name}").mimetype == "text/javascript"


def test_what_is_uploaded_is_counted(client):
    answer = client.post("/qiao/upload", data={"file": (io.BytesIO(b"x" * 300), "a.jpg")})

    assert answer.json == {"bytes": 300}
