"""hall-bridge.js in a real browser, in each of its five places: what works, what is refused, and how."""

from __future__ import annotations

import base64
import re
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.app.portal.phone import HALL, HOSTS, SITE, a_config, a_department, a_phone

CHROMIUM = "/usr/bin/chromium-headless-shell"
DOCUMENT = Path(__file__).resolve().parents[3] / "docs/channels/hall-bridge.md"
pytestmark = pytest.mark.browser
GUANGZHOU = {"latitude": 23.1291, "longitude": 113.2644, "accuracy": 20}
PAID = {
    "wechat": {
        "timestamp": "1",
        "nonceStr": "n",
        "package": "prepay_id=1",
        "signType": "RSA",
        "paySign": "s",
    },
    "alipay": {"tradeNO": "2026112222001"},
}
SPOT = {"latitude": 23.1291, "longitude": 113.2644}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM)
        yield running
        running.close()


@pytest.fixture(scope="module")
def phones(browser):
    """One page in each place, for what leaves the page as it was: ``phones("wechat", plan)``."""
    with ExitStack() as held:
        opened = {host: held.enter_context(a_phone(browser, host)) for host in HOSTS}
        yield lambda host, plan=None: opened[host].again(plan or {})


def ok(value: Any = None) -> dict[str, Any]:
    return {"value": value}


@pytest.mark.parametrize("host", HOSTS)
def test_the_bridge_knows_where_it_is(phones, host):
    env = phones(host).call("ready")["value"]

    assert (env["host"], env["system"], env["sdk"]) == (host, "android", True)
    assert env["version"] == {"w": "8.0.16.2040", "a": "10.5.36.8100", "b": ""}[host[0]]


@pytest.mark.parametrize("host", HOSTS)
def test_the_documented_matrix_is_the_codes_own(phones, host):
    rows = re.findall(r"^\| `(\w+)` \|(.+)\|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    words = {"自带": "native", "标准": "standard", "—": ""}
    told = {name: words[cells.split("|")[HOSTS.index(host)].strip()] for name, cells in rows}

    page = phones(host).page
    found = page.evaluate("names => names.map(one => HallBridge.supports(one))", list(told))
    every = page.evaluate("Object.keys(HallBridge)")

    assert dict(zip(told, found, strict=True)) == told
    assert set(every) - {"version", "env", "supports", "uiStyle"} == set(told)


@pytest.mark.parametrize(
    ("host", "name", "options", "value"),
    [
        ("wechat", "scan", None, {"text": "6901234567892", "type": "bar"}),
        ("wechat-mini", "scan", {"type": "bar"}, {"text": "6901234567892", "type": "bar"}),
        ("alipay", "scan", None, {"text": "https://q.example.cn/1", "type": "qr"}),
        ("wechat", "getLocation", None, {**SPOT, "accuracy": 30, "system": "gcj02"}),
        ("wechat", "getLocation", {"system": "wgs84"}, {**SPOT, "accuracy": 30, "system": "wgs84"}),
        ("wechat-mini", "getLocation", None, {**SPOT, "accuracy": 30, "system": "gcj02"}),
        ("alipay", "getLocation", {"system": "wgs84"}, {**SPOT, "accuracy": 40, "system": "gcj02"}),
        ("alipay-mini", "getLocation", None, {**SPOT, "accuracy": 40, "system": "gcj02"}),
        ("wechat", "pay", PAID, {"state": "paid"}),
        ("alipay", "pay", PAID, {"state": "paid"}),
        ("alipay-mini", "pay", PAID, {"state": "paid"}),
        ("wechat", "share", {"title": "户政"}, {"state": "prepared"}),
        ("wechat-mini", "share", {"title": "户政"}, {"state": "prepared"}),
        ("alipay", "share", {"title": "户政"}, {"state": "shared"}),
        ("alipay-mini", "share", {"title": "户政"}, {"state": "prepared"}),
        ("alipay", "toast", "已保存", None),
        ("alipay", "confirm", "要提交吗？", True),
        ("alipay", "actionSheet", ["甲", "乙"], 1),
        *((host, "setTitle", "新标题", None) for host in HOSTS),
        *((host, "close", None, None) for host in HOSTS if host != "browser"),
        *((host, "phoneCall", "020-12345", None) for host in HOSTS),
    ],
)
def test_what_a_place_can_do_is_done(phones, host, name, options, value):
    phone = phones(host)

    assert phone.call(name, options) == ok(value)
    assert phone.complaints == []


@pytest.mark.parametrize(
    ("host", "name", "plan", "code"),
    [
        ("wechat", "scan", {"scanQRCode": "cancel"}, "cancelled"),
        ("wechat", "scan", {"scanQRCode": "refuse"}, "denied"),
        ("wechat", "scan", {"scanQRCode": "missing"}, "unsupported"),
        ("wechat", "scan", {"scanQRCode": "fail"}, "failed"),
        ("wechat", "getLocation", {"getLocation": "deny"}, "denied"),
        ("wechat", "getLocation", {"getLocation": "cancel"}, "cancelled"),
        ("wechat", "chooseImage", {"chooseImage": "cancel"}, "cancelled"),
        ("wechat", "chooseImage", {"getLocalImgData": "fail"}, "failed"),
        ("wechat", "pay", {"chooseWXPay": "cancel"}, "cancelled"),
        ("wechat", "share", {"updateTimelineShareData": "refuse"}, "denied"),
        ("wechat-mini", "chooseImage", {"chooseImage": "deny"}, "denied"),
        ("wechat-mini", "getLocation", {"getLocation": "deny"}, "denied"),
        ("wechat-mini", "pay", {}, "unsupported"),
        ("wechat", "download", {}, "unsupported"),
        ("alipay", "scan", {"scan": {"error": 10}}, "cancelled"),
        ("alipay", "scan", {"scan": {"error": 11}}, "failed"),
        ("alipay", "scan", {"scan": {"error": 1, "errorMessage": "接口不存在"}}, "unsupported"),
        ("alipay", "getLocation", {"getCurrentLocation": {"error": 11}}, "denied"),
        ("alipay", "getLocation", {"getCurrentLocation": {"error": 13}}, "failed"),
        ("alipay", "getLocation", {"getCurrentLocation": {"error": 14}}, "timeout"),
        ("alipay", "getLocation", {"getCurrentLocation": {"error": 4}}, "denied"),
        ("alipay", "pay", {"tradePay": {"resultCode": "6001"}}, "cancelled"),
        ("alipay", "pay", {"tradePay": {"resultCode": "4000"}}, "failed"),
        ("alipay", "pay", {"tradePay": {"resultCode": "6002"}}, "failed"),
        ("alipay", "actionSheet", {"actionSheet": {"index": 2}}, "cancelled"),
        ("alipay", "share", {"startShare": {"error": 11}}, "cancelled"),
        ("alipay-mini", "scan", {}, "unsupported"),
        ("alipay-mini", "getLocation", {"getLocation": {"error": 2001}}, "denied"),
        ("alipay-mini", "pay", {"tradePay": {"resultCode": "6001"}}, "cancelled"),
        ("alipay-mini", "download", {}, "unsupported"),
        ("browser", "scan", {}, "unsupported"),
        ("browser", "pay", {}, "unsupported"),
        ("browser", "share", {}, "unsupported"),
    ],
)
def test_what_does_not_come_about_is_told_alike_everywhere(phones, host, name, plan, code):
    options = {"pay": PAID, "actionSheet": ["甲", "乙"], "download": "/a.pdf"}.get(name)
    phone = phones(host, plan)

    refused = phone.call(name, options)

    assert phone.complaints == []
    assert refused["code"] == code
    assert refused["isError"] is True
    assert re.fullmatch("[一-鿿，。、“”…？]{3,40}", refused["message"])


@pytest.mark.parametrize(
    ("host", "name", "plan"),
    [
        ("wechat", "scan", {"scanQRCode": "silent"}),
        ("wechat-mini", "chooseImage", {"chooseImage": "silent"}),
        ("alipay", "getLocation", {"getCurrentLocation": "silent"}),
        ("alipay-mini", "pay", {"tradePay": "silent"}),
        ("alipay", "confirm", {"confirm": "silent"}),
    ],
)
def test_an_app_that_never_answers_is_not_waited_for(phones, host, name, plan):
    options = {**(PAID if name == "pay" else {}), "timeout": 60, "text": "要提交吗？"}

    assert phones(host, plan).call(name, options)["code"] == "timeout"


def test_a_payment_that_hangs_is_neither_paid_nor_failed(phones):
    plan = {"tradePay": {"resultCode": "8000"}}

    assert phones("alipay", plan).call("pay", PAID) == ok({"state": "pending"})


def test_the_page_is_signed_for_the_very_address_it_has(browser):
    with a_phone(browser, "wechat", path="/m/form?type=1#part") as phone:
        phone.call("ready")
        phone.call("ready")
        given = phone.called("config")
        asked = [one.url for one in phone.asked]

    assert asked == [
        f"{HALL}/api/v1/bridge/config?client=wechat&url=https%3A%2F%2Fhz.example.cn%2Fm%2Fform%3Ftype%3D1"
    ]
    assert (given["appId"], given["timestamp"], given["nonceStr"]) == ("wx01", 1414587457, "n")
    assert (given["signature"], given["debug"]) == ("0f9de6", False)
    assert {"scanQRCode", "chooseImage", "getLocation"} <= set(given["jsApiList"])


def test_an_address_changed_by_script_is_signed_anew_when_asked_for(browser):
    with a_phone(browser, "wechat") as phone:
        phone.call("ready")
        phone.page.evaluate("history.pushState(null, '', '/m/next')")
        phone.call("ready", {"again": True})

        assert [one.url.rpartition("%2F")[2] for one in phone.asked] == ["", "next"]


def test_on_an_iphone_the_signature_of_the_first_address_stays_good(browser):
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 MicroMessenger/8.0.40"
    with a_phone(browser, "wechat", agent=agent) as phone:
        first = phone.call("ready")["value"]
        phone.page.evaluate("history.pushState(null, '', '/m/next')")
        phone.call("ready", {"again": True})

        assert (first["system"], len(phone.asked)) == ("ios", 1)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"without_app": True}, id="no JS-SDK on the page"),
        pytest.param({"config": a_config(signature=None)}, id="the hall signs nothing"),
        pytest.param({"plan": {"config": "fail"}}, id="WeChat refuses the signature"),
    ],
)
def test_in_wechat_without_its_functions_the_webs_own_serve(browser, trouble):
    with a_phone(browser, "wechat", geolocation=GUANGZHOU, permissions=["geolocation"], **trouble) as phone:
        env, place = phone.call("ready")["value"], phone.call("getLocation")["value"]
        scanned = phone.call("scan")

    assert (env["host"], env["sdk"]) == ("wechat", False)
    assert (place["system"], place["latitude"]) == ("wgs84", 23.1291)
    assert scanned["code"] == "unsupported"


def test_in_a_browser_the_place_comes_from_the_web_in_its_own_system(browser):
    with a_phone(browser, geolocation=GUANGZHOU, permissions=["geolocation"]) as phone:
        assert phone.call("getLocation") == ok({**SPOT, "accuracy": 20, "system": "wgs84"})


def test_in_a_browser_a_place_that_is_not_allowed_is_denied(browser):
    with a_phone(browser, permissions=[]) as phone:
        assert phone.call("getLocation")["code"] == "denied"


def test_pictures_of_wechat_come_as_files(phones):
    phone = phones("wechat")

    found = phone.call("chooseImage", {"count": 2})["value"]

    given = phone.called("chooseImage")

    assert found == {"images": [{"type": "image/jpeg", "size": 13}] * 2}
    assert (given["count"], given["sizeType"]) == (2, ["compressed"])
    assert given["sourceType"] == ["album", "camera"]


A_PICTURE = """() => new Promise((done) => {
  const canvas = document.createElement("canvas");
  canvas.width = 2400; canvas.height = 1800;
  const paint = canvas.getContext("2d");
  for (let i = 0; i < 400; i++) {
    paint.fillStyle = `hsl(${i * 7} 80% 50%)`;
    paint.fillRect(i * 6, (i * 37) % 1800, 90, 300);
  }
  done(canvas.toDataURL("image/png").split(",")[1]);
})"""


@pytest.mark.parametrize("host", ["browser", "alipay", "alipay-mini"])
@pytest.mark.parametrize("compress", [True, False])
def test_pictures_from_elsewhere_are_made_smaller_unless_forbidden(phones, host, compress):
    page = phones(host).page
    picture = base64.b64decode(page.evaluate(A_PICTURE))

    with page.expect_file_chooser() as chooser:
        page.evaluate(
            "o => { window.chosen = HallBridge.chooseImage(o).then((r) => r.images[0]); }",
            {"compress": compress, "maxEdge": 800},
        )
    chooser.value.set_files({"name": "a.png", "mimeType": "image/png", "buffer": picture})
    size, kind = page.evaluate("chosen.then((one) => [one.size, one.type])")

    assert (kind, size < len(picture)) == (("image/jpeg", True) if compress else ("image/png", False))


def test_who_chooses_pictures_anew_has_given_up_the_first_choice(phones):
    page = phones("browser").page

    told = page.evaluate("""() => {
      const first = HallBridge.chooseImage().catch((error) => error.code);
      HallBridge.chooseImage().catch(() => {});
      return first;
    }""")

    assert told == "cancelled"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("wechat", "closeWindow"),
        ("wechat-mini", "navigateBack"),
        ("alipay", "popWindow"),
        ("alipay-mini", "navigateBack"),
    ],
)
def test_closing_is_the_apps_own(phones, host, name):
    phone = phones(host)

    phone.call("close")

    assert name in [one for one, _ in phone.calls()]


@pytest.mark.parametrize("host", ["wechat-mini", "alipay-mini"])
def test_a_page_in_a_mini_program_opens_the_programs_own_pages(phones, host):
    phone = phones(host)

    phone.call("openLink", {"path": "/pages/progress/progress"})

    assert phone.called("navigateTo") == {"url": "/pages/progress/progress"}


def test_alipay_opens_web_pages_in_a_window_of_its_own(phones):
    phone = phones("alipay")

    phone.call("openLink", "/m/other")

    assert phone.called("pushWindow") == {"url": f"{SITE}/m/other"}


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "", "weixin://dl/scan"])
def test_what_is_no_web_address_is_not_opened(phones, url):
    assert phones("browser").call("openLink", {"url": url})["code"] == "failed"


def test_elsewhere_a_link_opens_in_place(browser):
    with a_phone(browser) as phone:
        with phone.page.expect_navigation():
            phone.page.evaluate("() => { HallBridge.openLink('/m/other'); }")

        assert phone.page.url == f"{SITE}/m/other"


@pytest.mark.parametrize(
    ("number", "dialled"),
    [("020-12345", "tel:02012345"), ("(020) 1234 5", "tel:02012345"), ("+86 12345", "tel:+8612345")],
)
def test_numbers_are_dialled_as_phones_want_them(phones, number, dialled):
    phone = phones("browser")

    phone.call("phoneCall", number)

    assert phone.called("tel") == dialled


@pytest.mark.parametrize("number", ["", "不知道", "12", "1;ext=2", "javascript:1"])
def test_what_is_no_number_is_not_dialled(phones, number):
    phone = phones("browser")

    assert phone.call("phoneCall", {"number": number})["code"] == "failed"
    assert phone.calls() == []


def test_what_is_shared_is_the_same_everywhere(phones):
    content = {"title": "户政", "desc": "办户口", "link": f"{SITE}/m/a", "imgUrl": ""}
    asked = {"title": "户政", "text": "办户口", "url": "/m/a"}

    for host in ("wechat", "wechat-mini", "alipay-mini"):
        phones(host).call("share", asked)

    assert phones_called(phones, "wechat", "updateTimelineShareData", asked) == content
    assert phones_called(phones, "wechat-mini", "postMessage", asked) == {"data": {"hallShare": content}}
    assert phones_called(phones, "alipay-mini", "postMessage", asked) == {"hallShare": content}


def phones_called(phones, host, name, asked):
    phone = phones(host)
    phone.call("share", asked)
    return phone.called(name)


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("Promise.resolve()", ok({"state": "shared"})),
        ("Promise.reject(new DOMException('', 'AbortError'))", "cancelled"),
        ("Promise.reject(new DOMException('', 'NotAllowedError'))", "denied"),
        ("Promise.reject(new DOMException('', 'DataError'))", "failed"),
    ],
)
def test_a_browser_shares_as_the_web_has_it(browser, ending, told):
    with a_phone(browser) as phone:
        phone.page.evaluate(
            f"() => {{ navigator.share = (given) => {{ window.note('share', given); return {ending}; }} }}"
        )
        found = phone.call("share", {"title": "户政"})

        assert (found if "value" in found else found["code"]) == told
        assert phone.called("share") == {"title": "户政", "text": "", "url": f"{SITE}/m/"}


UPLOAD = """(o) => new Promise((done) => {
  const seen = [];
  o.file = new Blob(["x".repeat(200000)], { type: "image/jpeg" });
  o.onProgress = (rate) => seen.push(rate);
  const { upload } = HallBridge;
  upload(o).then((value) => done({ value, seen }), ({ code, message }) => done({ code, message }));
})"""


def test_a_file_goes_to_the_pages_own_server_with_its_progress(browser):
    options = {"url": "/upload", "name": "photo", "fields": {"kind": "face"}, "headers": {"X-Case": "7"}}
    with a_department() as department, closing(browser.new_page()) as page:
        page.goto(department.base)
        told = page.evaluate(UPLOAD, options)

    assert told["value"] == {"status": 201, "body": '{"id": 1}'}
    assert told["seen"] == sorted(told["seen"])
    assert told["seen"][-1] == 1
    assert department.received == [("7", "face", "image.jpg", 200_000)]


@pytest.mark.parametrize(("status", "words"), [(413, "文件太大"), (500, "上传没有成功")])
def test_a_refused_file_is_told_in_plain_words(browser, status, words):
    with a_phone(browser) as phone:
        told = phone.page.evaluate(UPLOAD, {"url": f"/upload?status={status}"})
        phone.complaints.clear()  # the browser itself notes the status

    assert told["code"] == "failed"
    assert words in told["message"]


def test_a_file_is_saved_under_its_name_in_a_browser(browser):
    with a_phone(browser) as phone:
        with phone.page.expect_download() as saved:
            phone.call("download", {"url": "/form.pdf", "name": "申请表.pdf"})

        assert saved.value.suggested_filename == "申请表.pdf"
