"""Files of a case: taken in once, sealed, seen by the applicant and the desk of the body only."""

import io
import os
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import select

from app.applications import attachments, jobs, retention, service
from app.applications.blobs import FolderStore
from app.applications.models import Application, ApplicationFile
from app.applications.service import Event, State
from app.core import audit, db, vault
from app.core.vault import VaultEntry
from app.identity import service as identity
from tests.app.applications.builders import (
    LATER,
    a_case,
    a_draft,
    a_resident,
    an_open_item,
    row_of,
    take_step,
    version_of,
)
from tests.app.applications.uploads import EICAR, a_clamd, a_pdf, a_photo
from tests.app.identity.builders import a_bearer, signed_in
from tests.builders import NOW, a_principal
from tests.builders import a_bearer as a_staff_bearer

MINE = "/api/v1/my/applications"
NEEDED = ("csrf_token", "key")
MATERIALS = [
    {"code": "m1", "name": "身份证", "handings": ["upload", "shared"], "required": False},
    {"code": "m2", "name": "住所证明", "handings": ["paper", "promise", "upload"]},
]
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@pytest.fixture
def me(given):
    resident_id = given(a_resident)
    return resident_id, given(a_bearer, resident_id)


@pytest.fixture
def draft(given, me):
    """A draft whose two materials may be uploaded."""
    return given(an_uploaded_draft, me[0])


def an_uploaded_draft(resident_id):
    return a_draft(an_open_item(materials=MATERIALS), resident_id)


def path_of(app, address):
    return app.extensions["hall_settings"].files_dir / address[:2] / address


def item_of(app, case_id):
    with app.app_context():
        return row_of(case_id).implementation_id


def upload(client, bearer, case_id, content=None, *, material="m2", key="photo-one", name="张三.jpg"):
    sent = {"file": (io.BytesIO(content if content is not None else a_photo()), name)}
    return client.post(
        f"{MINE}/{case_id}/files?material={material}&key={key}",
        data=sent,
        headers=bearer,
        content_type="multipart/form-data",
    )


def test_a_photo_is_taken_in_and_shown_to_its_owner(client, me, draft):
    added = upload(client, me[1], draft)
    path = f"{MINE}/{draft}/files/{added.get_json()['id']}"

    whole, thumb = client.get(path, headers=me[1]), client.get(f"{path}/thumb", headers=me[1])
    case = client.get(f"{MINE}/{draft}", headers=me[1]).get_json()

    assert added.status_code == 201, added.text
    assert Image.open(io.BytesIO(whole.data)).size == (320, 200)
    assert thumb.content_type == "image/jpeg"
    assert whole.headers["Cache-Control"] == "private, no-store"
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    assert case["materials"]["m2"] == "upload"
    assert [one["id"] for one in case["files"]] == [added.get_json()["id"]]


def test_what_lies_in_the_folder_and_in_the_database_shows_nothing(app, client, me, draft):
    upload(client, me[1], draft)

    with app.app_context():
        row = db.session().scalars(select(ApplicationFile)).one()
        blob = path_of(app, row.blob)
        content = row.thumb + blob.read_bytes()
    assert b"\xff\xd8\xff" not in content
    assert blob.stat().st_mode & 0o077 == 0


def test_an_upload_that_is_repeated_is_one_file(client, me, draft):
    photo = a_photo()

    first = upload(client, me[1], draft, photo).get_json()
    again = upload(client, me[1], draft, photo).get_json()
    under_another_key = upload(client, me[1], draft, photo, key="photo-two").get_json()
    other = upload(client, me[1], draft, a_photo(colour="green"))

    assert first == again == under_another_key
    assert (other.status_code, other.get_json()["code"]) == (409, "idempotency_key_reused")


def test_the_same_photo_for_two_materials_is_kept_once(app, client, me, draft):
    photo = a_photo()
    one = upload(client, me[1], draft, photo, material="m1", key="for-the-first")
    other = upload(client, me[1], draft, photo, material="m2", key="for-the-second")

    client.delete(f"{MINE}/{draft}/files/{one.get_json()['id']}", headers=me[1])
    left = client.get(f"{MINE}/{draft}/files/{other.get_json()['id']}", headers=me[1])

    assert left.status_code == 200
    with app.app_context():
        assert len(db.session().scalars(select(ApplicationFile)).all()) == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"MZ", "file_type_refused"),
        (b"\xff\xd8\xffdisguised", "file_damaged"),
        (b"", "file_empty"),
    ],
)
def test_refused_files_leave_nothing_and_say_why(app, client, me, draft, content, code):
    answer = upload(client, me[1], draft, content, name="photo.jpg")

    assert (answer.status_code, answer.get_json()["code"]) == (422, code)
    with app.app_context():
        assert db.session().scalars(select(ApplicationFile)).all() == []


def test_a_file_that_is_too_long_is_not_even_read(client, me, draft):
    path = f"{MINE}/{draft}/files?material=m2&key=photo-one"
    form = "multipart/form-data; boundary=x"

    answer = client.post(
        path,
        data=b"--x\r\n",
        content_type=form,
        headers=me[1],
        environ_overrides={"CONTENT_LENGTH": f"{13 * 1024**2}"},
    )

    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")


def test_materials_that_are_not_uploaded_take_no_file(client, me, given):
    plain = given(a_draft, None, me[0])

    answers = [upload(client, me[1], plain, material=one) for one in ("m1", "nothing")]

    assert [one.get_json()["code"] for one in answers] == ["file_not_wanted"] * 2


def test_there_is_an_end_to_the_number_of_files(client, me, draft):
    answers = [
        upload(client, me[1], draft, a_photo(20 + number, 20), key=f"photo-{number:03}")
        for number in range(21)
    ]

    assert [one.status_code for one in answers] == [201] * 20 + [422]
    assert answers[-1].get_json()["code"] == "too_many_files"


def test_a_draft_that_lacks_its_photo_is_not_submitted(client, me, draft):
    sent = {"version": 2, "materials": {"m2": "upload", "m1": "shared"}}
    saved = client.patch(f"{MINE}/{draft}", json=sent, headers=me[1]).get_json()

    upload(client, me[1], draft)
    taken = client.post(f"{MINE}/{draft}/submit", json={"version": saved["version"]}, headers=me[1])

    assert saved["problems"] == {"materials.m2": ["请上传“住所证明”的照片或文件"]}
    assert taken.status_code == 200, taken.text


def submitted(given, client, me, draft):
    file_id = upload(client, me[1], draft).get_json()["id"]
    version = client.patch(
        f"{MINE}/{draft}", json={"version": 2, "materials": {"m1": "shared"}}, headers=me[1]
    ).get_json()["version"]
    done = client.post(f"{MINE}/{draft}/submit", json={"version": version}, headers=me[1])
    assert done.status_code == 200, done.text
    return file_id


def test_the_desk_of_the_body_opens_it_and_the_person_can_see_that(app, client, given, me, draft):
    file_id = submitted(given, client, me, draft)
    bearer = given(lambda: a_staff_bearer(a_principal("city_operator", region_code="440100")))
    path = f"/api/v1/cases/{draft}/files/{file_id}"

    thumb, whole = client.get(f"{path}/thumb", headers=bearer), client.get(path, headers=bearer)

    assert (thumb.status_code, whole.status_code) == (200, 200)
    with app.app_context():
        assert audit.history("application", draft)[0].action == "application.file_read"
        (use,) = identity.uses(me[0])
    assert (use.what, use.by) == ("住所证明", "广州市人民政府")


def test_another_persons_file_does_not_exist(app, client, given, me, draft):
    file_id = submitted(given, client, me, draft)
    strange_id = given(a_resident)
    other, stranger = given(a_draft, item_of(app, draft), strange_id), given(a_bearer, strange_id)
    elsewhere = given(lambda: a_staff_bearer(a_principal("city_operator", region_code="440300")))

    answers = [
        client.get(f"{MINE}/{draft}/files/{file_id}", headers=stranger),
        client.get(f"{MINE}/{draft}/files/{file_id}/thumb", headers=stranger),
        client.delete(f"{MINE}/{draft}/files/{file_id}", headers=stranger),
        upload(client, stranger, draft),
        client.get(f"{MINE}/{other}/files/{file_id}", headers=stranger),
        client.get(f"/api/v1/cases/{draft}/files/{file_id}", headers=elsewhere),
        client.get(f"/api/v1/cases/{draft}/files/{file_id}/thumb", headers=elsewhere),
    ]

    assert {one.status_code for one in answers} == {404}


def test_a_submitted_case_takes_no_more_files_and_loses_none(client, given, me, draft):
    file_id = submitted(given, client, me, draft)

    more = upload(client, me[1], draft, a_photo(colour="green"), key="another-one")
    less = client.delete(f"{MINE}/{draft}/files/{file_id}", headers=me[1])

    assert [one.get_json()["code"] for one in (more, less)] == ["file_not_wanted"] * 2


def test_a_supplement_takes_files_for_what_it_names_and_the_desk_sees_them_once_sent(
    client, given, me, draft
):
    submitted(given, client, me, draft)
    asked = [{"material": "m2", "text": "请重拍住所证明"}]
    given(take_step, draft, Event.ASK_SUPPLEMENT, items=asked, now=NOW + timedelta(days=1))
    bearer = given(lambda: a_staff_bearer(a_principal("city_operator", region_code="440100")))

    def send():
        version = client.get(f"{MINE}/{draft}", headers=me[1]).get_json()["version"]
        told = {"version": version, "materials": {"m2": "upload"}}
        return client.post(f"{MINE}/{draft}/supplements", json=told, headers=me[1])

    def seen_by_the_desk():
        return len(client.get(f"/api/v1/cases/{draft}", headers=bearer).get_json()["files"])

    without = send()
    other = upload(client, me[1], draft, a_photo(30, 30), material="m1", key="not-asked-for")
    upload(client, me[1], draft, a_photo(40, 40), key="asked-for")
    before = seen_by_the_desk()
    taken = send()

    assert without.get_json()["errors"] == {"materials.m2": ["请上传新的照片或文件"]}
    assert other.get_json()["code"] == "file_not_wanted"
    assert (before, taken.status_code, seen_by_the_desk()) == (1, 200, 2)


def test_what_was_uploaded_for_a_supplement_that_never_came_is_forgotten(app, client, given, me, draft):
    submitted(given, client, me, draft)
    asked = [{"material": "m2", "text": "请重拍住所证明"}]
    given(take_step, draft, Event.ASK_SUPPLEMENT, items=asked, now=NOW)
    upload(client, me[1], draft, a_photo(40, 40), key="never-sent")

    returned = given(service.return_overdue, draft, now=NOW + LATER)

    with app.app_context():
        left = db.session().scalars(select(ApplicationFile)).all()
    assert returned
    assert len(left) == 1  # what was handed in with the application


def test_a_file_from_a_server_whose_clock_is_ahead_reaches_the_desk(app, client, given, me, draft):
    upload(client, me[1], draft)
    with app.app_context():
        uploaded_at = db.session().scalars(select(ApplicationFile.created_at)).one()
        version = version_of(draft)
    given(service.submit, me[0], draft, version=version, now=uploaded_at - timedelta(seconds=2))
    bearer = given(lambda: a_staff_bearer(a_principal("city_operator", region_code="440100")))

    seen = client.get(f"/api/v1/cases/{draft}", headers=bearer).get_json()

    assert [one["sent"] for one in seen["files"]] == [True]


def test_a_page_that_was_gone_back_to_says_to_choose_the_other_photo_again(app, given, me, draft):
    browser = signed_in(app, given, me[0])
    page = f"/me/applications/{draft}/materials/m2"
    told = {name: re.search(rf'name="{name}" value="([^"]+)"', browser.get(page).text)[1] for name in NEEDED}

    def choose(content):
        data = {**told, "file": (io.BytesIO(content), "photo.jpg")}
        return browser.post(page, data=data, content_type="multipart/form-data")

    first, other = choose(a_photo()), choose(a_photo(50, 50))

    assert first.status_code == 303
    assert other.status_code == 422
    assert "请再选一次" in other.text


def test_what_lies_about_in_the_folder_stops_no_clearing_up(app):
    folder = app.extensions["hall_settings"].files_dir.parent / "files-apart"
    store = FolderStore(folder)
    address = store.put(b"noise")
    (folder / ".keep").write_text("")

    assert list(store.older_than(NOW + timedelta(days=36500))) == [address]


def test_a_file_goes_with_its_draft_and_cannot_be_opened_from_then_on(app, client, me, draft):
    upload(client, me[1], draft)
    client.delete(f"{MINE}/{draft}", headers=me[1])

    settings = app.extensions["hall_settings"]
    store = FolderStore(settings.files_dir)
    with app.app_context():
        assert (
            db.session().scalars(select(VaultEntry).where(VaultEntry.field == attachments.SECRET_FIELD)).all()
            == []
        )
        left = list(store.older_than(NOW + timedelta(days=9999)))
        assert set(left) == set(attachments.unwanted(left))


def test_what_belongs_to_no_case_is_cleared_up_after_a_day(app, client, me, draft):
    kept = upload(client, me[1], draft).get_json()["id"]
    store = FolderStore(app.extensions["hall_settings"].files_dir)
    orphan = store.put(b"left over")

    with app.app_context():
        jobs.clear_files({})
        young = store.get(orphan)
        for address in list(store.older_than(NOW + timedelta(days=9999))):
            os.utime(path_of(app, address), (0, 0))
        jobs.clear_files({})
        left = list(store.older_than(NOW + timedelta(days=9999)))
        blob = db.session().get_one(ApplicationFile, int(kept)).blob

    assert young == b"left over"
    assert left == [blob]


def test_a_virus_is_refused_and_a_clean_file_says_that_it_was_looked_at(app, client, me, draft):
    before = app.extensions["hall_settings"]
    with a_clamd() as clamd:
        app.extensions["hall_settings"] = replace(before, clamd_url=clamd.url)
        try:
            bad = upload(client, me[1], draft, a_photo() + EICAR)
            good = upload(client, me[1], draft, a_pdf(), key="clean-one")
        finally:
            app.extensions["hall_settings"] = before

    assert bad.get_json()["code"] == "file_infected"
    assert good.get_json()["scanned"] is True


def test_a_case_that_is_referred_takes_its_files_along(app, client, given, me):
    case_id = given(an_uploaded_draft, me[0])
    submitted(given, client, me, case_id)
    for event in (Event.ACCEPT, Event.BEGIN, Event.REFER_UP):
        given(take_step, case_id, event)

    with app.app_context():
        linked = (
            db.session().scalars(select(Application).where(Application.referred_from_id == case_id)).one()
        )
        (file,) = service.my_case(me[0], linked.id).files
        store = FolderStore(app.extensions["hall_settings"].files_dir)
        content = service.my_file(me[0], linked.id, file.id, thumb=False, store=store)[1]

    assert content.startswith(b"\xff\xd8\xff")
    assert linked.materials["m2"] == "upload"


def test_personal_answers_and_files_of_old_cases_are_forgotten_by_how_they_ended(app, given, client, me):
    case_id = given(an_uploaded_draft, me[0])
    submitted(given, client, me, case_id)
    with app.app_context():
        version = version_of(case_id)
    given(service.withdraw, me[0], case_id, version=version, now=NOW)
    decided = given(a_case, State.DELIVERED, item_id=item_of(app, case_id), resident_id=me[0])
    days = retention.kept_days(decided=1000, undecided=30)

    with app.app_context():
        due = retention.forgettable_cases(days, NOW + timedelta(days=31))
    given(retention.forget_case, case_id, now=NOW + timedelta(days=31))

    assert due == [case_id]
    with app.app_context():
        seen = service.my_case(me[0], case_id)
        assert (seen.files, "name" in seen.answers, "since" in seen.answers) == ([], False, True)
        assert seen.forgotten_at is not None
        assert retention.forgettable_cases(days, NOW + timedelta(days=1001)) == [decided]
        assert len(vault.find("application.id_number", "x")) == 0
