"""What labelled pages cannot show: what static rules add when the page was rendered, and hostile pages."""

from dataclasses import replace

import pytest

from mobile_pages.artifact import Client, Rendering, Request
from mobile_pages.spec.base import Need, Profile, Verdict
from mobile_pages.spec.engine import judge, load_rules
from tests.mobile_pages.spec.builders import ORIGIN, URL, an_artifact, good_html

STATIC = {key: one for key, one in load_rules().items() if one.rule.needs is not Need.RENDERED}
SCRIPT = "text/javascript"
PLAIN = "http://wsbs.example.gov.cn/api/sbcx"
NO_TITLE = good_html().replace("<title>社保查询</title>", "<title></title>")


def a_rendering(**changes):
    fields = {"label": "plain-360", "client": Client.PLAIN, "width": 360, "height": 640, "title": "社保查询"}
    return Rendering(**{**fields, "requests": (Request(URL, "document", 200),), **changes})


def a_part(name, media_type, size, **changes):
    base = Request(f"{ORIGIN}/{name}", "script", 200, size, decoded_bytes=size, media_type=media_type)
    return replace(base, **changes)


def said(code, html=None, **changes):
    artifact = an_artifact(html, renderings=(a_rendering(**changes),))
    return judge(artifact, Profile.STANDARD, spec_rules=STATIC).result(code)


def metrics(glyph_height):
    return {
        "text": {"glyph_height": glyph_height, "length": 80},
        "cut": [],
        "overlaps": [],
        "main_button": "",
        "main_button_box": None,
        "layout": {"client_width": 360},
    }


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        pytest.param("MAS-TRN-01", {"requests": (Request(PLAIN, "fetch", 200),)}, id="plain interface"),
        pytest.param("MAS-TRN-03", {"requests": (Request(PLAIN, "image", 0),)}, id="plain picture"),
        pytest.param(
            "MAS-TRN-04",
            {"requests": (Request(f"{ORIGIN}/api?mobile=13900000000", "xhr", 200),)},
            id="number",
        ),
        pytest.param(
            "MAS-PRF-06", {"requests": (Request(f"{ORIGIN}/a.png", "image", 200, 204_801),)}, id="big picture"
        ),
        pytest.param("MAS-PRF-06", {"requests": (a_part("a.js", SCRIPT, 1401),)}, id="plain script"),
        pytest.param("MAS-PRF-06", {"requests": (a_part("a.0c1d2e3f.css", "text/css", 9),)}, id="not kept"),
        pytest.param("MAS-CHN-05", {"downloads": (f"{ORIGIN}/m/sbcx.apk",)}, id="package"),
        pytest.param("MAS-CHN-05", {"navigations": (URL, "weixin://dl/business/")}, id="another application"),
        pytest.param("MAS-ENT-03", {"title": "首页"}, id="title set by a script"),
    ],
)
def test_what_the_browser_saw_counts_too(code, changes):
    assert said(code).verdict is Verdict.PASS
    assert said(code, **changes).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(a_part("a.js", SCRIPT, 90_000, encoding="br"), id="compressed"),
        pytest.param(a_part("a.js", SCRIPT, 1400), id="one packet"),
        pytest.param(a_part("a.jpg", "image/jpeg", 90_000), id="a picture"),
        pytest.param(a_part("a.js", SCRIPT, 90_000, url="https://res.wx.qq.com/a.js"), id="foreign"),
        pytest.param(a_part("a.0c1d2e3f.png", "image/png", 9, cache_seconds=2_592_000), id="kept 30 days"),
        pytest.param(a_part("a.deadbeef.png", "image/png", 9), id="a word and no version"),
        pytest.param(Request(f"{ORIGIN}/a.0c1d2e3f.js", "script", 200, 90_000), id="of an older release"),
    ],
)
def test_parts_that_travel_well_are_no_fault(part):
    assert said("MAS-PRF-06", requests=(part,)).verdict is Verdict.PASS


def test_a_picture_much_larger_than_it_is_shown_is_found():
    entry = {"selector": "img", "natural": [1200, 800], "shown": [100, 67], "box": [0, 0, 100, 67]}

    result = said("MAS-PRF-06", metrics={"oversized": [entry]})

    assert result.verdict is Verdict.FAIL


def test_a_title_that_a_script_sets_is_the_title():
    assert said("MAS-ENT-03", NO_TITLE).verdict is Verdict.PASS


def test_a_large_picture_inside_the_page_is_found():
    picture = f'<img alt="办事指南" src="data:image/png;base64,{"A" * 280_000}">'

    result = said("MAS-PRF-06", good_html().replace("</main>", f"{picture}</main>"))

    assert result.verdict is Verdict.FAIL
    assert len(result.findings[0].snippet) <= 200


@pytest.mark.parametrize(
    ("glyph_height", "verdict"),
    [
        pytest.param(24.0, Verdict.PASS, id="text grows"),
        pytest.param(16.0, Verdict.FAIL, id="text stays"),
    ],
)
def test_blocked_zoom_is_made_good_by_text_that_grows(glyph_height, verdict):
    html = good_html().replace("initial-scale=1", "initial-scale=1, user-scalable=no")
    zoomed = a_rendering(label="zoom-360", text_zoom=1.5, metrics=metrics(glyph_height))
    artifact = an_artifact(html, renderings=(a_rendering(metrics=metrics(16.0)), zoomed))

    result = judge(artifact, Profile.ELDER, spec_rules=STATIC).result("MAS-LAY-03")

    assert result.verdict is verdict


def test_a_small_fault_beside_a_grave_one_does_not_soften_it():
    grave = '<body onload="navigator.geolocation.getCurrentPosition(show)"><input onpaste="return false">'

    result = said("MAS-FRM-03", good_html().replace("<body>", grave))

    assert (result.verdict, result.severity) == (Verdict.FAIL, "must")
    assert len(result.findings) == 2


@pytest.mark.parametrize(
    "html",
    [
        pytest.param(("62" * 8 + " ") * 20_000, id="card numbers without end"),
        pytest.param("1" * 1_000_000, id="digits without end"),
        pytest.param("<!-- a -->" * 100_000, id="comments before the doctype"),
        pytest.param("<a href=http://10.0.0.1/x>a</a>" * 10_000, id="thousands of links side by side"),
        pytest.param("<div>" * 10_000 + "13900000000", id="deep nesting"),
        pytest.param("<script>" + "setTimeout(" * 30_000 + "</script>", id="script that nearly matches"),
        pytest.param("<a href='http://[" + "a" * 100_000 + "'>x", id="address that cannot be split"),
    ],
)
def test_a_page_made_to_be_slow_is_judged_all_the_same(html):
    errors = []

    report = judge(
        an_artifact(html),
        Profile.STANDARD,
        spec_rules=STATIC,
        on_error=lambda rule, error: errors.append((rule.id, error)),
    )

    assert errors == []
    assert all(len(finding.selector) < 600 for one in report.results for finding in one.findings)
