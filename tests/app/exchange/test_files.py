"""Files of a case are handed to the system that decides on it, and to no other."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from app.applications import service as applications
from app.core import clock
from app.core.runner import Worker
from app.identity import service as identity
from tests.app.applications.builders import a_draft, a_resident, row_of, version_of
from tests.app.applications.test_uploads import MATERIALS, upload
from tests.app.exchange.builders import a_system
from tests.app.identity.builders import a_bearer

pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def a_case_with_a_photo(client, given, docked):
    """Return owner and number of a case that a photo was handed in with."""
    owner = given(a_resident)
    case_id = given(a_draft, docked.item_id, owner)
    assert upload(client, given(a_bearer, owner), case_id).status_code == 201
    version = given(version_of, case_id)
    given(applications.submit, owner, case_id, version=version, now=clock.system_clock())
    return owner, given(lambda: row_of(case_id).number)


def test_a_system_takes_the_files_of_its_case_and_the_applicant_sees_it(app, client, given):
    docked = given(a_system, materials=MATERIALS, code="GZ-AA1")
    other = given(a_system, item_id=docked.item_id, code="GZ-AA2")
    owner, number = a_case_with_a_photo(client, given, docked)
    Worker(app, app.extensions["hall_jobs"]).drain()

    (file,) = docked.call(client, "GET", f"/cases/{docked.code}/{number}").json["files"]
    path = f"/cases/{docked.code}/{number}/files/{file['id']}"
    answer = docked.call(client, "GET", path)

    assert (file["material"], answer.content_type) == ("m2", "image/jpeg")
    assert Image.open(io.BytesIO(answer.data)).size == (320, 200)
    assert other.call(client, "GET", path).status_code == 404
    assert "上传的文件" in [one.what for one in given(identity.uses, owner)]
