"""hall-bridge.js on the page itself: dialogs, the elder edition, tickets, old phones, two loads."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.app.portal.phone import HALL, SITE, a_phone

CHROMIUM = "/usr/bin/chromium-headless-shell"
TICKET = "t" * 43
pytestmark = pytest.mark.browser
ASK = "(o) => { window.told = HallBridge[o.name](o).then((value) => [value], (error) => error.code); }"


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM)
        yield running
        running.close()


def asked(phone, name, **options):
    phone.page.evaluate(ASK, {"name": name, **options})
    return phone.page.get_by_role("dialog")


@pytest.mark.parametrize(("button", "answer"), [("提交", True), ("再看看", False)])
def test_a_question_is_answered_with_a_button(browser, button, answer):
    with a_phone(browser) as phone:
        dialog = asked(phone, "confirm", text="要提交吗？", ok="提交", cancel="再看看")
        expect(dialog).to_contain_text("要提交吗？")
        dialog.get_by_role("button", name=button).click()

        assert phone.page.evaluate("told") == [answer]
        expect(dialog).to_have_count(0)


def test_a_question_holds_the_keyboard_and_gives_it_back(browser):
    with a_phone(browser) as phone:
        phone.page.focus("#b")
        dialog = asked(phone, "confirm", text="要提交吗？")
        focused = []
        for _ in range(3):
            focused.append(phone.page.evaluate("document.activeElement.textContent"))
            phone.page.keyboard.press("Tab")
        phone.page.keyboard.press("Escape")

        assert focused == ["确定", "取消", "确定"]
        assert phone.page.evaluate("told") == [False]
        assert phone.page.evaluate("document.activeElement.id") == "b"
        expect(dialog).to_have_count(0)


@pytest.mark.parametrize(("button", "told"), [("乙", [1]), ("取消", "cancelled")])
def test_a_choice_is_one_of_those_offered(browser, button, told):
    with a_phone(browser) as phone:
        dialog = asked(phone, "actionSheet", items=["甲", "乙", "丙"], title="选一个")
        dialog.get_by_role("button", name=button).click()

        assert phone.page.evaluate("told") == told


@pytest.mark.parametrize(("path", "letters", "height"), [("/m/", 18, 48), ("/m/?style=elder", 24, 60)])
def test_words_and_buttons_are_large_and_larger_for_the_elder(browser, path, letters, height):
    with a_phone(browser, path=path) as phone:
        button = asked(phone, "confirm", text="要提交吗？").get_by_role("button").first
        size = button.evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
        box = button.bounding_box()

    assert size >= letters
    assert box["height"] >= height
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360


def test_a_note_is_spoken_and_goes_by_itself(browser):
    with a_phone(browser) as phone:
        phone.page.evaluate("() => { HallBridge.toast({ text: '已保存', seconds: 0.4 }); }")
        expect(phone.page.get_by_role("status")).to_have_text("已保存")

        expect(phone.page.get_by_role("status")).to_have_count(0)


def test_words_of_others_are_never_markup(browser):
    with a_phone(browser) as phone:
        dialog = asked(
            phone, "confirm", title="<b>题</b>", text="<img src=x onerror=alert(1)>", ok="<i>好</i>"
        )

        expect(dialog).to_contain_text("<img src=x onerror=alert(1)>")
        assert dialog.locator("img, b, i").count() == 0


def test_the_elder_edition_is_kept_from_page_to_page(browser):
    with a_phone(browser, path="/m/?style=elder") as phone:
        first = phone.page.evaluate("HallBridge.uiStyle()")
        phone.page.goto(f"{SITE}/m/next")
        then = phone.page.evaluate("HallBridge.uiStyle()")
        phone.page.goto(f"{SITE}/m/?style=standard")

        assert (first, then) == ("elder", "elder")
        assert phone.page.evaluate("HallBridge.uiStyle()") == "standard"


def test_a_ticket_leaves_the_address_at_once_and_is_given_once(browser):
    with a_phone(browser) as phone:
        with phone.page.expect_navigation():
            phone.page.evaluate("() => { HallBridge.ssoTicket(); }")
        phone.page.goto(f"{SITE}/m/?a=1&hall_ticket={TICKET}&b=%E7%B2%A4#part")
        address = phone.page.url
        found = phone.call("ssoTicket")
        kept = phone.page.evaluate(
            "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
        )

    assert address == f"{SITE}/m/?a=1&b=%E7%B2%A4#part"
    assert found == {"value": TICKET}
    assert TICKET not in kept


def test_a_ticket_nobody_asked_for_is_a_strangers_and_not_taken(browser):
    with a_phone(browser, path=f"/m/?hall_ticket={TICKET}") as phone:
        address = phone.page.url
        with phone.page.expect_navigation(url=f"{HALL}/sso/**"):
            phone.page.evaluate("() => { HallBridge.ssoTicket(); }")
        went_to = phone.page.url

    assert address == f"{SITE}/m/"
    assert TICKET not in went_to


def test_without_a_ticket_the_resident_goes_to_sign_in_and_comes_back_with_one(browser):
    with a_phone(browser, path="/m/form?type=1") as phone:
        with phone.page.expect_navigation():
            phone.page.evaluate("() => { HallBridge.ssoTicket(); }")
        went_to = phone.page.url
        phone.page.goto(f"{SITE}/m/form?type=1&hall_ticket={TICKET}")

        assert went_to == f"{HALL}/sso/17?return_to=https%3A%2F%2Fhz.example.cn%2Fm%2Fform%3Ftype%3D1"
        assert phone.call("ssoTicket") == {"value": TICKET}


def test_who_comes_back_without_signing_in_is_not_sent_again_at_once(browser):
    with a_phone(browser) as phone:
        with phone.page.expect_navigation():
            phone.page.evaluate("() => { HallBridge.ssoTicket(); }")
        phone.page.goto(f"{SITE}/m/")

        assert phone.call("ssoTicket")["code"] == "cancelled"
        with phone.page.expect_navigation(url=f"{HALL}/sso/**"):
            phone.page.evaluate("() => { HallBridge.ssoTicket(); }")


def test_a_page_that_is_not_registered_cannot_sign_anybody_in(browser):
    with a_phone(browser) as phone:
        phone.page.context.unroute_all()
        phone.page.context.route(
            "**/api/v1/bridge/config**",
            lambda route: route.fulfill(status=404, headers={"Access-Control-Allow-Origin": SITE}, body="{}"),
        )
        refused = phone.call("ssoTicket")
        phone.complaints.clear()  # the browser itself notes the status

    assert (refused["code"], refused["message"]) == ("failed", "这个网页没有登记，不能登录。")


def test_a_phone_without_promises_is_answered_through_callbacks(browser):
    script = """() => new Promise((done) => {
      const kept = window.Promise, heard = [];
      window.Promise = undefined;
      const complete = () => { heard.push("complete"); done(heard); };
      const given = HallBridge.setTitle({ title: "新", success: () => heard.push("success"), complete });
      window.Promise = kept;
      if (given !== undefined) heard.push("promise");
    })"""
    with a_phone(browser) as phone:
        assert phone.page.evaluate(script) == ["success", "complete"]


def test_a_refusal_reaches_the_callback_and_nothing_else(browser):
    script = "() => new Promise((done) => HallBridge.scan({ fail: (error) => done(error.code) }))"
    with a_phone(browser) as phone:
        assert phone.page.evaluate(script) == "unsupported"


def test_loaded_twice_it_is_one(browser):
    with a_phone(browser, "wechat", times=2) as phone:
        phone.page.evaluate("() => { window.first = HallBridge; }")
        phone.call("ready")

        assert phone.page.locator("script").count() == 2
        assert len(phone.asked) == 1


def test_nothing_but_one_name_is_left_in_the_page(browser):
    with a_phone(browser) as phone:
        added = phone.page.evaluate("""() => {
          const frame = document.body.appendChild(document.createElement("iframe"));
          const known = new Set(Object.getOwnPropertyNames(frame.contentWindow));
          frame.remove();
          return Object.getOwnPropertyNames(window).filter((name) => !known.has(name));
        }""")

    assert set(added) - {"calls", "plan", "note"} == {"HallBridge"}


@pytest.mark.parametrize("path", ["/m/?style=%zz&hall_ticket=", "/m/?hall_ticket", "/m/?&&==&style", "/m/?%"])
def test_an_odd_address_breaks_nothing(browser, path):
    with a_phone(browser, path=path) as phone:
        assert phone.page.evaluate("HallBridge.uiStyle()") == "standard"
        assert phone.page.url == f"{SITE}{path}"
