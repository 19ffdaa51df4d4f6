"""Static files and the size of pages over the wire."""

from __future__ import annotations

import gzip
import re

import pytest

ZIPPED = {"Accept-Encoding": "gzip"}
on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
pytestmark = on_sqlite


def style_sheet(client):
    found = re.search(r'href="(/static/core/hall\.css\?v=[0-9a-f]+)"', client.get("/").text)
    assert found
    return found[1]


def test_a_style_sheet_is_compressed_and_kept_for_a_year_under_its_digest(client):
    answer = client.get(style_sheet(client), headers=ZIPPED)

    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"body.phone" in gzip.decompress(answer.data)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Accept-Encoding" in answer.vary


@pytest.mark.parametrize("version", ["", "?v=", "?v=000000000000"])
def test_a_file_without_its_digest_is_kept_for_a_day_only(client, version):
    answer = client.get(f"/static/core/hall.css{version}")

    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert "Content-Encoding" not in answer.headers


def test_an_unchanged_file_is_not_sent_again(client):
    address = style_sheet(client)
    etag = client.get(address, headers=ZIPPED).headers["ETag"]

    again = client.get(address, headers={**ZIPPED, "If-None-Match": etag})
    otherwise_encoded = client.get(address, headers={"If-None-Match": etag})

    assert (again.status_code, again.data) == (304, b"")
    assert otherwise_encoded.status_code == 200


@pytest.mark.parametrize("name", ["../web.py", "core/../../web.py", "core", "core/none.css", "%2e%2e/web.py"])
def test_nothing_outside_the_folder_is_served(client, name):
    assert client.get(f"/static/{name}").status_code == 404


def test_a_page_is_compressed_and_its_size_varies(client):
    answers = [client.get("/", headers=ZIPPED) for _ in range(12)]

    assert {gzip.decompress(one.data) for one in answers} == {client.get("/").data}
    assert len({len(one.data) for one in answers}) > 1
