"""Reports in a folder."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from mobile_pages import report as report_package
from mobile_pages.gather.browser import BrowserMissing
from mobile_pages.report.files import Form, ReportFolder
from tests.mobile_pages.report.builders import NOW, a_page, a_png, a_refused_page, a_result, every_verdict

SCHEMA = json.loads((Path(report_package.__file__).parent / "schema.json").read_text(encoding="utf-8"))
NO_BROWSER_NEEDED = [one for one in Form if one is not Form.PDF]


def write(path, *pages, forms=(Form.JSON,)):
    return ReportFolder(path).write(pages, forms, made_at=NOW)


def test_every_form_is_written_also_when_everything_passes(tmp_path):
    paths = write(tmp_path, a_page(a_result(verdict="pass")), forms=NO_BROWSER_NEEDED)

    names = {one.name for one in paths}
    assert names == {"pages", "report.html", "report.sarif", "junit.xml", "totals.csv"}
    assert all(one.stat().st_size for one in paths)


def test_what_was_written_is_read_back_by_address(tmp_path):
    pages = (a_page(*every_verdict()), a_refused_page())

    write(tmp_path, *pages)

    assert ReportFolder(tmp_path).read() == {one.report.url: one for one in pages}


def test_the_json_of_every_page_keeps_to_the_schema(tmp_path):
    write(tmp_path, a_page(*every_verdict(), name=""), a_refused_page())

    for path in (tmp_path / "pages").iterdir():
        jsonschema_rs.validator_for(SCHEMA).validate(json.loads(path.read_text(encoding="utf-8")))


def test_an_earlier_run_is_replaced_and_files_of_others_are_kept(tmp_path):
    write(tmp_path, a_page(), a_refused_page())
    others = tmp_path / "pages" / "about.json"
    others.write_text('{"format_version": 1, "mine": true}')

    write(tmp_path, a_page())

    assert [one.name for one in sorted((tmp_path / "pages").iterdir())] == [
        "001-wsbs.example.gov.cn-m-sbcx.json",
        "about.json",
    ]


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"format_version": 1}', "\x00"])
def test_a_folder_with_something_else_is_refused(tmp_path, text):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "001.json").write_text(text)

    with pytest.raises(ValueError):  # noqa: PT011 - json's own words differ
        ReportFolder(tmp_path).read()


def test_an_empty_folder_holds_no_reports(tmp_path):
    assert ReportFolder(tmp_path).read() == {}


@pytest.mark.parametrize("url", ["../../etc/passwd", "http://a/../../x", "..", "http://例子.cn/", "/" * 300])
def test_whatever_the_address_its_file_lies_in_the_folder(tmp_path, url):
    write(tmp_path, a_refused_page(url=url))

    (path,) = (tmp_path / "pages").iterdir()
    assert path.name.startswith("001-")
    assert len(path.name) < 80


def test_pictures_are_kept_under_their_hash_once(tmp_path):
    folder = ReportFolder(tmp_path)

    digest = folder.put_picture(a_png())

    assert folder.put_picture(a_png()) == digest
    assert folder.picture(digest) == a_png()
    assert folder.picture("0" * 64) is None
    assert folder.picture("../../etc/passwd") is None


def test_half_a_surrogate_pair_does_not_stop_any_form(tmp_path):
    page = a_page(a_result(measured="\ud83d"), name="\udc00")

    assert len(write(tmp_path, page, forms=NO_BROWSER_NEEDED)) == len(NO_BROWSER_NEEDED)


def test_without_a_browser_all_other_forms_are_written(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(BrowserMissing):
        write(tmp_path, a_page(), forms=list(Form))

    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "totals.csv").exists()
