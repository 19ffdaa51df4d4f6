"""A report survives as JSON of a described shape."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from mobile_pages import report as report_package
from mobile_pages.artifact import Client, Rendering, Trouble
from mobile_pages.report.document import from_json, to_json
from mobile_pages.spec.base import Profile
from mobile_pages.spec.engine import judge
from tests.mobile_pages.spec.builders import PAGES, a_fetch, an_artifact, artifact_of

SCHEMA = json.loads((Path(report_package.__file__).parent / "schema.json").read_text(encoding="utf-8"))
PICTURE = "ab" * 32
UNREACHABLE = a_fetch(status=0, tls=None, trouble=Trouble("timeout", "15 秒内没有回应"))


def a_rendering(**changes):
    fields = {"label": "plain-360", "client": Client.PLAIN, "width": 360, "height": 640}
    return Rendering(**{**fields, "first_text_ms": 900, "screenshot": PICTURE, **changes})


def a_document(artifact=None, profile=Profile.STANDARD):
    artifact = artifact or an_artifact()
    return to_json(judge(artifact, profile), artifact)


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize(
    "artifact",
    [
        pytest.param(an_artifact(), id="good page"),
        pytest.param(an_artifact("<p>空"), id="poor page"),
        pytest.param(an_artifact(entry=UNREACHABLE), id="page that does not open"),
        pytest.param(an_artifact(renderings=(a_rendering(),)), id="rendered page"),
    ],
)
def test_a_report_has_the_shape_of_the_schema(artifact, profile):
    document = json.loads(json.dumps(a_document(artifact, profile)))

    jsonschema_rs.validator_for(SCHEMA).validate(document)


@pytest.mark.parametrize("page", sorted(PAGES.glob("*/fail-*.html")), ids=lambda page: page.stem)
def test_a_report_read_back_is_the_report_that_was_written(page):
    artifact = artifact_of(page)
    report = judge(artifact, Profile.STANDARD)

    stored = from_json(json.loads(json.dumps(to_json(report, artifact))))

    assert stored.report == report


def test_pictures_and_times_are_told_beside_the_rules():
    renderings = (a_rendering(), a_rendering(label="wechat-360", screenshot=None, first_text_ms=None))

    document = a_document(an_artifact(renderings=renderings))

    assert [one["sha256"] for one in document["screenshots"]] == [PICTURE]
    assert document["timings"] == {"ttfb_ms": 180, "total_ms": 260, "first_text_ms": {"plain-360": 900}}


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda document: document.pop("rules"), id="no rules"),
        pytest.param(lambda document: document.update(format_version=2), id="another version"),
        pytest.param(lambda document: document.update(verdict="fine"), id="unknown verdict"),
        pytest.param(lambda document: document["rules"][0].update(extra=1), id="unknown field"),
        pytest.param(lambda document: document.update(rules=[None]), id="no object"),
    ],
)
def test_what_is_no_report_is_refused(spoil):
    document = a_document()
    spoil(document)

    with pytest.raises(ValueError, match="not a report|is not a valid"):
        from_json(document)


def test_no_plain_number_reaches_the_document():
    pages = [
        page for page in PAGES.glob("*/fail-*.html") if page.parent.name in ("masking", "url-personal-data")
    ]

    written = "".join(json.dumps(a_document(artifact_of(page)), ensure_ascii=False) for page in pages)

    assert "999999199001011" not in written
    assert "13900000000" not in written
