"""The form and the upload page on a phone's screen: photos from a telephone, with script and without."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from app import create_app
from app.applications import service
from app.core import db, migrate
from tests.app.applications.builders import a_draft, a_resident, an_open_item
from tests.app.applications.uploads import a_pdf, a_photo
from tests.app.identity.builders import SESSION, a_session
from tests.app.identity.test_in_browser import AXE, PHONE, SMALL, TARGET_PX, WIDER
from tests.app.monitoring.test_wall_in_browser import CHROMIUM, a_server
from tests.builders import settings_for
from tests.processes import free_ports

pytestmark = pytest.mark.browser
MATERIALS = [
    {"code": "m1", "name": "身份证", "handings": ["shared"]},
    {"code": "m2", "name": "住所证明", "handings": ["paper", "promise", "upload"], "note": "正反面都要"},
]
SHOTS = os.environ.get("HALL_SHOTS", "")


class Hall:
    """A served hall in which one resident has one draft."""

    def __init__(self, app, base):
        self.app, self.base = app, base
        self.me = self.run(a_resident)
        self.item = self.run(an_open_item, materials=MATERIALS)
        self.draft = self.run(a_draft, self.item, self.me)
        self.token = self.run(a_session, self.me).token

    def run(self, work, *args, **details):
        with self.app.app_context():
            return db.transaction(lambda: work(*args, **details))

    def case(self):
        with self.app.app_context():
            return service.my_case(self.me, self.draft)


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("hall"), free_ports(1)[0]
    base, url = f"http://localhost:{port}", f"sqlite:///{folder}/hall.sqlite"
    migrate.upgrade(url)
    app = create_app(settings_for(url, folder, HALL_BASE_URL=base))
    with a_server(app, port):
        yield Hall(app, base)
    app.extensions["hall_db"].dispose()


@contextlib.contextmanager
def a_phone(hall, **options):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        context = browser.new_context(viewport=PHONE, locale="zh-CN", **options)
        cookie = {"name": SESSION, "value": hall.token, "url": hall.base.replace("http:", "https:")}
        context.add_cookies([{**cookie, "secure": True}])
        yield context.new_page()
        browser.close()


def photos(folder: Path, *, side: int = 3000, count: int = 2) -> list[str]:
    made = []
    for number in range(count):
        path = folder / f"IMG_{number}.jpg"
        path.write_bytes(a_photo(side, side * 3 // 4, orientation=6, colour=("red", "green")[number]))
        made.append(str(path))
    return made


def look(page, name):
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def faults_of(page):
    page.evaluate(AXE)
    found = page.evaluate("axe.run().then(found => found.violations)")
    told = [f"{one['id']}: {one['nodes'][0]['html'][:150]}" for one in found]
    told += [f"small: {one}" for one in page.evaluate(SMALL, TARGET_PX)]
    return told + (["too wide"] if page.evaluate(WIDER) else [])


def test_fields_come_and_go_with_the_choice_and_rules_are_told_at_once(hall):
    with a_phone(hall) as page:
        page.goto(f"{hall.base}/me/applications/{hall.draft}/form")
        look(page, "form")
        before = page.locator("#employer").is_visible(), page.locator("#rooms").count()
        page.check('input[name="ground"][value="home"]')
        after = page.locator("#employer").count(), page.locator("#rooms").is_visible()
        faults = faults_of(page)

    assert (before, after) == ((True, 0), (0, True))
    assert faults == []


def test_several_photos_are_made_small_on_the_phone_and_sent_one_by_one(hall, tmp_path):
    sent = []
    with a_phone(hall) as page:
        page.on("request", lambda one: sent.append(one) if one.method == "POST" else None)
        page.goto(f"{hall.base}/me/applications/{hall.draft}/form")
        page.click('button[value="upload:m2"]')
        look(page, "material-empty")
        page.set_input_files("#file", photos(tmp_path))
        page.click("form[data-upload] button")
        page.wait_for_selector(".uploads li:nth-child(2)")
        look(page, "material")
        status, faults = page.inner_text("[data-status]"), faults_of(page)
        uploads = [one for one in sent if "materials" in one.url]

    assert status == "传好了"
    assert len(uploads) == 2
    assert [(one.width, one.height) for one in hall.case().files] == [(1800, 2400), (1800, 2400)]
    assert faults == []


def test_photos_are_sent_without_script_and_what_is_refused_is_told(hall, tmp_path):
    wrong = tmp_path / "photo.jpg"
    wrong.write_bytes(b"MZ not a photo")
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(a_pdf(3))
    with a_phone(hall, java_script_enabled=False) as page:
        page.goto(f"{hall.base}/me/applications/{hall.draft}/materials/m2")
        count = page.locator(".uploads li").count()
        page.set_input_files("#file", [str(paper), str(wrong)])
        page.click("form[data-upload] button")
        told, more = page.inner_text("[role=alert]"), page.locator(".uploads li").count()
        look(page, "material-refused")
        page.click(".uploads li:last-child button")
        less = page.locator(".uploads li").count()
        page.click("text=回到申请")
        look(page, "form-with-files")

    assert "photo.jpg" in told
    assert "只接受照片" in told
    assert (more - count, less - count) == (1, 0)
