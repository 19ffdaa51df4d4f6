"""Languages of pages: who gets which, and that what people typed stays as typed."""

from __future__ import annotations

import pytest

from app.core.languages import to_traditional, translated

on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


@on_sqlite
@pytest.mark.parametrize(
    ("accepted", "shown"),
    [
        pytest.param("", "zh-Hans", id="nothing said"),
        pytest.param("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans", id="mainland phone"),
        pytest.param("zh-HK,zh;q=0.9", "zh-Hant", id="Hong Kong phone"),
        pytest.param("zh-Hant-MO,en;q=0.5", "zh-Hant", id="script named"),
        pytest.param("zh-Hans-HK", "zh-Hans", id="script before place"),
        pytest.param("en-US,zh;q=0.9", "en", id="English phone"),
        pytest.param("fr-FR,en;q=0.7,zh;q=0.3", "en", id="first that there is"),
        pytest.param("fr-FR", "zh-Hans", id="none that there is"),
        pytest.param("x" * 5000, "zh-Hans", id="nonsense"),
    ],
)
def test_a_page_comes_in_the_browsers_language(client, accepted, shown):
    answer = client.get("/", headers={"Accept-Language": accepted})

    assert f'<html lang="{shown}"' in answer.text
    assert answer.headers["Content-Language"] == shown
    assert {"Cookie", "Accept-Language"} <= set(answer.vary)


@on_sqlite
def test_the_address_goes_before_the_cookie_and_the_cookie_before_the_browser(client):
    client.set_cookie("hall_view", "lang=zh-Hant")

    kept = client.get("/", headers={"Accept-Language": "en"})
    asked = client.get("/?lang=en", headers={"Accept-Language": "zh"})

    assert '<html lang="zh-Hant"' in kept.text
    assert '<html lang="en"' in asked.text


@on_sqlite
def test_the_first_address_that_names_an_edition_is_remembered_and_a_later_one_is_not(client):
    first = client.get("/?style=elder")
    later = client.get("/?style=standard")
    then = client.get("/")

    assert "phone-page elder" in first.text
    assert "phone-page elder" not in later.text
    assert "phone-page elder" in then.text


@on_sqlite
@pytest.mark.parametrize("cookie", ["lang=xx&style=huge&region=1", "&" * 100, "lang", "%00=%ff"])
def test_a_spoilt_cookie_is_no_choice(client, cookie):
    client.set_cookie("hall_view", cookie)

    answer = client.get("/")

    assert answer.status_code == 200
    assert '<html lang="zh-Hans"' in answer.text


def test_traditional_pages_keep_what_a_person_typed_and_what_scripts_need():
    page = (
        '<p title="发展">发展</p><input value="发" placeholder="发展"><textarea>发</textarea>'
        '<b translate="no">范伟</b><a href="/发">里面</a><!-- 发 --><option value="发">头发</option>\x01'
    )

    shown = to_traditional(page)

    assert shown == (
        '<p title="發展">發展</p><input value="发" placeholder="發展"><textarea>发</textarea>'
        '<b translate="no">范伟</b><a href="/发">裏面</a><!-- 发 --><option value="发">頭髮</option>'
    )


@on_sqlite
@pytest.mark.parametrize(
    ("said", "english"),
    [
        pytest.param("请填写姓名", "Please fill in the name", id="a sentence"),
        pytest.param(
            "身份证号码应为 18 位，现在是 3 位",
            "An ID number has 18 characters, this one has 3",
            id="figures",
        ),
        pytest.param("没有找到", "Not found", id="an error's own English"),
        pytest.param("没人这样说过", "没人这样说过", id="unknown"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_domains_say_is_found_in_the_catalogue(app, said, english):
    with app.test_request_context("/?lang=en"):
        assert translated(said) == english

    with app.test_request_context("/"):
        assert translated(said) == said
