"""A page's way from registration to the resident's phone and back down, over real HTTP and a real browser.

Each test is one step; the steps run in this order in one hall, once per database. The people:

- of 省公安厅, by one-time link: registers 户政办理 in the console;
- of 省质监局, with password and one-time code: registers 电梯查询 by its own system and a token;
- of 广州市, by one-time link: registers 公交出行 under a wrong address first;
- two reviewers and a watch of the province; a resident.
"""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from sandbox.world import RESIDENT, alipay_user_id, open_id
from tests.journeys.people import PATIENCE_MS, Story, System
from tests.processes import until

pytestmark = [pytest.mark.journey, pytest.mark.browser]

WECHAT, ALIPAY = "gd-wechat", "gd-alipay"
HOUSEHOLD, LIFT, BUS = "户政办理", "电梯查询", "公交出行"
PASSWORD = "ting-ban-2016-shou-ji"
CONTACT_PHONE = "020-12345099"
# The example that GB 11643-1999 itself prints; no person has it.
CITIZEN_ID = "11010519491231002X"
CHECK_SECONDS = 90
WATCH_SECONDS = 60


def body_id(story: Story, full_name: str) -> str:
    bodies = requests.get(f"{story.hall.base}/api/v1/bodies", timeout=10).json()
    return next(str(body["id"]) for body in bodies if body["full_name"] == full_name)


def registration(story: Story, slug: str) -> dict[str, Any]:
    """Return what the sample pages' catalogue says of a page."""
    catalogue = requests.get(f"{story.hall.pages}/catalogue.json", timeout=10).json()
    return next(row for row in catalogue["pages"] if row["slug"] == slug)


def go(story: Story, name: str) -> requests.Response:
    """Open a page's entry as residents do, without following it."""
    url = f"{story.hall.base}/go/{story.page_ids[name]}"
    return requests.get(url, allow_redirects=False, timeout=10)


def force_lift_page(story: Story, state: str) -> None:
    answer = requests.post(f"{story.hall.sandbox}/control/pages", json={"state": state}, timeout=10)
    assert answer.json()["up"] is (state == "up")


def fill_registration(story: Story, desk_name: str, slug: str, url: str, **more: str) -> None:
    """Fill in the console's form for a sample page, whatever address it shall have."""
    desk, row = story.desk(desk_name), registration(story, slug)
    known = {name: row[name] for name in ("name", "description", "hotline", "health_url")}
    desk.fill(url=url, **known, **more)
    desk.page.locator("select[name=theme]").select_option(label=row["theme"])
    for kind in row["channels"]:
        desk.page.locator(f"input[name=channels][value={kind}]").check()
    desk.press("保存")


def test_a_department_registers_a_page_in_the_console(story: Story) -> None:
    force_lift_page(story, "up")
    desk = story.desk("公安厅")
    desk.follow_link(story.demo_link("部门经办员"))
    desk.open("/console/pages")
    desk.page.get_by_role("link", name="登记网页").click()

    story.secrets["contact phone"] = CONTACT_PHONE
    url = f"{story.hall.pages}/huzheng/"
    fill_registration(story, "公安厅", "huzheng", url, contact_name="值班室", contact_phone=CONTACT_PHONE)

    assert desk.said() == "网页已登记。可以提交检测了。"
    story.page_ids[HOUSEHOLD] = desk.page.url.rpartition("/")[2]
    assert desk.state_of(story.page_ids[HOUSEHOLD]) == "已登记"


def test_a_one_time_link_opens_nothing_a_second_time(story: Story) -> None:
    link = story.demo_link("审计员")
    story.desk("审计").follow_link(link)

    answer = requests.get(link, timeout=10)

    assert answer.status_code in {404, 410}
    assert "登录</button>" not in answer.text


def test_password_and_one_time_code_let_an_operator_in(story: Story) -> None:
    desk = story.desk("质监局")
    codes = desk.set_up(story.new_staff("lift-operator", "department_operator", "省质监局"), PASSWORD)
    story.secrets |= {"password": PASSWORD, "one-time secret": codes.secret}
    desk.sign_out()

    # The code of the next half minute: each serves once, and the set-up has used the present one.
    desk.sign_in("lift-operator", PASSWORD, codes.at(int(time.time()) + 30))

    assert desk.page.locator(".who").inner_text() == "测试人员"


def test_a_departments_system_registers_a_page_with_a_token(story: Story) -> None:
    token = story.desk("质监局").make_token("电梯系统")
    story.secrets["API token"] = token
    system = story.systems["质监局"] = System(story.hall, token)
    row = registration(story, "dianti")
    document = {
        name: row[name] for name in ("name", "url", "description", "hotline", "channels", "health_url")
    }
    document |= {"theme": "quality", "body_id": body_id(story, "省质监局")}

    foreign = system.call("POST", "/mobile-pages", document | {"body_id": body_id(story, "省公安厅")})
    made = system.call("POST", "/mobile-pages", document)

    assert (foreign.status_code, made.status_code) == (404, 201)
    story.page_ids[LIFT] = made.json()["id"]
    assert system.call("POST", f"/mobile-pages/{story.page_ids[LIFT]}/checks").status_code == 202


def test_a_city_registers_a_page_under_a_wrong_address(story: Story) -> None:
    desk = story.desk("广州市")
    desk.follow_link(story.demo_link("地市经办员"))
    desk.open("/console/pages/new")
    desk.page.locator("select[name=body_id]").select_option(body_id(story, "广州市人民政府"))

    fill_registration(story, "广州市", "guangzhou-jiaotong", f"{story.hall.pages}/guozi/")

    story.page_ids[BUS] = desk.page.url.rpartition("/")[2]
    desk.press("提交检测")
    assert desk.said().startswith("已提交检测")


def test_the_check_passes_good_pages_and_fails_the_bad_one(story: Story) -> None:
    desk = story.desk("公安厅")
    desk.open(f"/console/pages/{story.page_ids[HOUSEHOLD]}")

    desk.press("提交检测")

    story.desk("广州市").wait_for_state(story.page_ids[BUS], "检测未过", CHECK_SECONDS)
    desk.wait_for_state(story.page_ids[HOUSEHOLD], "检测通过待审", CHECK_SECONDS)
    story.desk("质监局").wait_for_state(story.page_ids[LIFT], "检测通过待审", CHECK_SECONDS)


def test_the_report_says_what_is_wrong_where_and_how_to_mend_it(story: Story) -> None:
    page = story.desk("广州市").page
    page.get_by_role("link", name="查看报告").click()

    rule = page.locator("article", has_text="MAS-LAY-02")
    assert re.search(r"\d+", rule.locator("dt:has-text('测得') + dd").inner_text())
    assert re.search(r"\d+", rule.locator("dt:has-text('要求') + dd").inner_text())
    assert "table" in rule.locator("p:has-text('元素：') code").first.inner_text()
    assert len(rule.locator("p:has-text('怎么改：')").first.inner_text()) > len("怎么改：") + 5
    assert len(rule.locator("p:has-text('依据：')").inner_text()) > len("依据：") + 5
    assert page.locator("article", has_text="MAS-ENT-03").count() == 1


def test_the_report_shows_the_screenshot_with_the_place_marked(story: Story) -> None:
    page = story.desk("广州市").page
    shot = page.locator(".shot", has=page.locator("rect.offender")).first

    picture, box = shot.locator("image"), shot.locator("rect.offender").first
    answer = page.request.get(f"{story.hall.base}{picture.get_attribute('href')}")

    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    expect(box).to_be_visible()
    assert float(box.get_attribute("width") or 0) > 0


def test_a_page_with_its_address_corrected_passes(story: Story) -> None:
    desk = story.desk("广州市")
    desk.open(f"/console/pages/{story.page_ids[BUS]}/edit")
    desk.fill(url=f"{story.hall.pages}/guangzhou-jiaotong/")
    desk.press("保存")

    desk.press("提交检测")

    desk.wait_for_state(story.page_ids[BUS], "检测通过待审", CHECK_SECONDS)


def test_of_two_reviewers_before_one_page_the_second_is_told(story: Story) -> None:
    first, second = story.desk("审核一"), story.desk("审核二")
    first.follow_link(story.demo_link("省级审核员"))
    second.set_up(story.new_staff("second-reviewer", "province_reviewer"), PASSWORD)
    assert "未接入" in first.schedule_row("省公安厅")
    for desk in (first, second):
        desk.open(f"/console/pages/{story.page_ids[HOUSEHOLD]}")

    first.decide(wechat="")
    second.decide(alipay="")

    assert first.said() == "审核结果已保存。"
    assert "已被他人先行处理" in second.said()
    second.decide(alipay="")
    assert second.said() == "审核结果已保存。"


def test_of_two_approvals_at_once_one_wins_and_the_other_gets_409(story: Story) -> None:
    reviewers = [System(story.hall, story.desk(name).make_token("审核")) for name in ("审核一", "审核二")]
    path = f"/mobile-pages/{story.page_ids[LIFT]}"
    decision = {"channels": ["wechat", "alipay"], "version": reviewers[0].call("GET", path).json()["version"]}
    together, answers = threading.Barrier(2), list[requests.Response]()

    def approve(reviewer: System) -> None:
        together.wait()
        answers.append(reviewer.call("POST", f"{path}/approval", decision))

    threads = [threading.Thread(target=approve, args=(reviewer,)) for reviewer in reviewers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    lost = next(answer for answer in answers if answer.status_code == 409)
    assert lost.headers["Content-Type"].startswith("application/problem+json")


def test_a_reviewer_lets_a_page_onto_one_channel_and_not_the_other(story: Story) -> None:
    desk = story.desk("审核一")
    desk.open(f"/console/pages/{story.page_ids[BUS]}")

    desk.decide(wechat="", alipay="支付宝里先等换乘方案")

    assert desk.said() == "审核结果已保存。"


def test_annex_3_counts_the_body_once_its_page_is_online(story: Story) -> None:
    row = story.desk("审核一").schedule_row("省公安厅")

    assert "已接入" in row
    assert "未接入" in story.desk("审核一").schedule_row("省残联")


@pytest.mark.parametrize("account", [WECHAT, ALIPAY])
def test_a_resident_writes_gets_the_page_and_opens_it(story: Story, account: str) -> None:
    phone = story.phone
    phone.open(account)
    phone.follow(account)
    expect(phone.bubbles).to_contain_text("欢迎关注", timeout=PATIENCE_MS)

    phone.write(f"户口 {CITIZEN_ID}")

    card = phone.cards.filter(has_text=HOUSEHOLD)
    expect(card).to_contain_text("省公安厅", timeout=PATIENCE_MS)
    card.click()
    expect(phone.web_view.get_by_role("heading", name=HOUSEHOLD).first).to_be_visible()


def test_words_that_fit_several_pages_are_answered_with_a_list(story: Story) -> None:
    phone = story.phone
    phone.open(WECHAT)

    phone.write("公交 电梯")

    answer = phone.bubbles.filter(has_text="找到这些服务")
    expect(answer).to_contain_text(LIFT, timeout=PATIENCE_MS)
    expect(answer).to_contain_text(BUS)
    answer.get_by_role("link").first.click()
    expect(phone.web_view.get_by_role("heading", name=re.compile(f"{LIFT}|{BUS}")).first).to_be_visible()


@pytest.mark.parametrize(
    ("account", "path", "name"),
    [
        pytest.param(WECHAT, ("公安户籍", HOUSEHOLD), HOUSEHOLD, id="wechat"),
        pytest.param(WECHAT, ("交通", BUS), BUS, id="wechat, the city"),
        pytest.param(ALIPAY, ("质监", LIFT), LIFT, id="alipay"),
    ],
)
def test_the_menu_leads_to_the_page(story: Story, account: str, path: tuple[str, ...], name: str) -> None:
    story.phone.wait_for_menu(account, name=name)

    story.phone.tap(account, *path)

    expect(story.phone.web_view.get_by_role("heading", name=name).first).to_be_visible()


def test_a_page_sent_back_on_a_channel_is_not_in_its_menu(story: Story) -> None:
    assert BUS not in story.phone.menu(ALIPAY)


def test_a_resident_opens_the_page_from_the_home_page(story: Story) -> None:
    assert set(story.phone.services()) == {HOUSEHOLD, LIFT, BUS}

    story.phone.page.locator("a.service", has_text=HOUSEHOLD).click()

    assert story.phone.page.url.startswith(f"{story.hall.pages}/huzheng/")
    assert HOUSEHOLD in story.phone.page.title()


def test_the_wall_is_green_while_pages_answer(story: Story) -> None:
    watch = story.desk("值守")
    watch.follow_link(story.demo_link("省级值守员"))

    watch.open("/wall")

    for body in ("公安厅", "质监局", "广州"):
        tile = watch.page.locator(".tile-up", has_text=body)
        expect(tile).to_be_visible(timeout=WATCH_SECONDS * 1000)


def test_a_page_that_goes_down_is_red_on_the_wall_with_an_incident(story: Story) -> None:
    page = story.desk("值守").page

    force_lift_page(story, "down")

    expect(page.locator(".tile-down", has_text="质监局")).to_be_visible(timeout=WATCH_SECONDS * 1000)
    expect(page.locator(".wall-news")).to_contain_text(LIFT)
    expect(page.locator(".wall-news")).to_contain_text("未恢复")


def test_the_entry_of_a_page_that_is_down_is_hidden_with_a_notice(story: Story) -> None:
    until(lambda: go(story, LIFT).status_code == 503, "the entry is hidden", WATCH_SECONDS)

    assert LIFT not in story.phone.services()
    story.phone.page.locator("a.service-down", has_text=LIFT).click()
    expect(story.phone.page.get_by_role("main")).to_contain_text("暂时无法访问")


def test_a_page_that_came_back_is_green_and_shown_again(story: Story) -> None:
    page = story.desk("值守").page

    force_lift_page(story, "up")

    expect(page.locator(".tile-up", has_text="质监局")).to_be_visible(timeout=WATCH_SECONDS * 1000)
    expect(page.locator(".wall-news")).to_contain_text("已恢复", timeout=WATCH_SECONDS * 1000)
    expect(page.locator(".wall-news")).not_to_contain_text("未恢复", timeout=WATCH_SECONDS * 1000)
    assert go(story, LIFT).headers["Location"] == f"{story.hall.pages}/dianti/"
    assert LIFT in story.phone.services()


def test_a_suspended_page_is_gone_from_menus_home_and_annex_3(story: Story) -> None:
    desk = story.desk("审核一")
    desk.open(f"/console/pages/{story.page_ids[HOUSEHOLD]}")
    desk.page.locator("form[action$='/suspend'] input[name=reason]").fill("收费标准过期")

    desk.press("下线")

    assert desk.said() == "网页已下线，居民不再看到。"
    for account in (WECHAT, ALIPAY):
        story.phone.wait_for_menu(account, name=HOUSEHOLD, there=False)
    assert go(story, HOUSEHOLD).status_code == 503
    assert HOUSEHOLD not in story.phone.services()
    assert "未接入" in desk.schedule_row("省公安厅")


def test_a_recheck_and_a_new_approval_bring_it_back(story: Story) -> None:
    page_id, operator, reviewer = story.page_ids[HOUSEHOLD], story.desk("公安厅"), story.desk("审核二")
    assert operator.state_of(page_id) == "已下线（可恢复）"
    operator.press("重新检测")
    reviewer.wait_for_state(page_id, "检测通过待审", CHECK_SECONDS)
    assert go(story, HOUSEHOLD).status_code == 503

    reviewer.decide(wechat="", alipay="")

    assert go(story, HOUSEHOLD).status_code == 302
    assert "已接入" in reviewer.schedule_row("省公安厅")
    story.phone.wait_for_menu(WECHAT, name=HOUSEHOLD)


def test_a_retired_page_is_gone_for_good(story: Story) -> None:
    operator, page_id = story.desk("公安厅"), story.page_ids[HOUSEHOLD]
    operator.open(f"/console/pages/{page_id}")

    operator.press("退出接入")

    assert operator.state_of(page_id) == "退出"
    assert operator.page.get_by_role("button", name="重新检测").count() == 0
    assert go(story, HOUSEHOLD).status_code == 503
    story.phone.wait_for_menu(WECHAT, name=HOUSEHOLD, there=False)
    assert "未接入" in story.desk("审核一").schedule_row("省公安厅")


def test_the_trail_is_whole_and_tells_the_pages_whole_life(story: Story) -> None:
    assert "audit trail is whole" in story.hall.flask("audit", "verify")

    story.desk("公安厅").open(f"/console/pages/{story.page_ids[HOUSEHOLD]}")
    lines = story.desk("公安厅").page.locator("section", has_text="全程留痕").locator("li").all_inner_texts()
    told = " ".join(lines)
    acts = (
        "登记",
        "提交检测",
        "检测通过",
        "审核通过并上线",
        "同意接入渠道",
        "渠道菜单已发布",
        "下线：收费标准过期",
        "退出接入",
    )
    assert [act for act in acts if act not in told] == []


def test_no_log_holds_a_secret_or_a_persons_number(story: Story) -> None:
    accounts = (story.hall.var / "sandbox.json").read_text(encoding="utf-8")
    sealed = re.findall(r'"(?:app_secret|token|aes_key)": "([^"]+)"', accounts)
    app_ids = re.findall(r'"app_id": "(wx[^"]+)"', accounts)
    people = [CITIZEN_ID, alipay_user_id(RESIDENT), *(open_id(app_id, RESIDENT) for app_id in app_ids)]
    keys = [story.hall.environment[f"HALL_{name}"] for name in ("SECRET_KEY", "VAULT_KEYS", "AUDIT_KEY")]

    log = story.hall.log()

    assert '"route": "/callbacks/<key>"' in log
    cookies = [one["value"] for desk in story.desks.values() for one in desk.page.context.cookies()]
    hidden = [*story.secrets.values(), *sealed, *people, *keys, *cookies]
    assert (len(sealed), len(app_ids), len(cookies)) == (10, 3, len(story.desks))
    assert [word[:4] for word in hidden if word in log] == []
    assert "Traceback" not in log
