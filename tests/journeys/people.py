"""Who takes part: staff at a desk, a department's system, a resident with a phone in hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pyotp
import requests
from playwright.sync_api import Browser, FrameLocator, Locator, Page

from tests.journeys.installation import Hall
from tests.processes import until

DESK = {"width": 1280, "height": 850}
PHONE = {"width": 360, "height": 780}
PATIENCE_MS = 20_000
MENU_SECONDS = 30


def a_screen(browser: Browser, size: dict[str, int]) -> Page:
    """Open an empty page that shares no cookies with any other."""
    page = browser.new_page(viewport=size, locale="zh-CN")  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE_MS)
    return page


@dataclass(frozen=True, slots=True)
class Desk:
    """One member of staff before the console."""

    hall: Hall
    page: Page

    def open(self, path: str) -> None:
        self.page.goto(f"{self.hall.base}{path}")

    def press(self, name: str) -> None:
        self.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()

    def fill(self, **fields: str) -> None:
        """Fill the fields of the form by their names."""
        for name, value in fields.items():
            self.page.locator(f"main input[name={name}]").fill(value)

    def said(self) -> str:
        """Return what the console says happened."""
        return self.page.locator(".flash").first.inner_text()

    def follow_link(self, link: str) -> None:
        """Sign in by a one-time link."""
        self.page.goto(link)
        self.press("登录")
        self.page.wait_for_url(f"{self.hall.base}/staff/")

    def set_up(self, link: str, password: str) -> pyotp.TOTP:
        """Set up password and one-time codes; return the authenticator that makes the codes."""
        self.page.goto(link)
        self.press("开始设置")
        codes = pyotp.TOTP(self.page.locator("main code").inner_text())
        self.fill(code=codes.now(), password=password, password_again=password)
        self.press("完成设置")
        self.page.wait_for_url(f"{self.hall.base}/staff/")
        return codes

    def sign_in(self, username: str, password: str, code: str) -> None:
        self.open("/staff/sign-in")
        self.fill(username=username, password=password)
        self.press("下一步")
        self.fill(code=code)
        self.press("登录")
        self.page.wait_for_url(f"{self.hall.base}/staff/")

    def sign_out(self) -> None:
        self.page.get_by_role("button", name="退出", exact=True).click()
        self.page.wait_for_url(f"{self.hall.base}/staff/sign-in")

    def make_token(self, name: str) -> str:
        """Make an API token and return it as it is shown, once."""
        self.open("/staff/tokens")
        self.fill(name=name)
        self.press("生成")
        return self.page.locator(".flash code").inner_text()

    def state_of(self, page_id: str) -> str:
        """Return the badge of a page in the console."""
        self.open(f"/console/pages/{page_id}")
        return self.page.locator("h1 + .badge").inner_text()

    def wait_for_state(self, page_id: str, state: str, seconds: float) -> None:
        until(lambda: self.state_of(page_id) == state, f"the page is {state}", seconds)

    def decide(self, **decisions: str) -> None:
        """Decide on channels of the page on the screen; a text is the reason for sending it back."""
        for kind, reason in decisions.items():
            choice = "reject" if reason else "approve"
            self.page.locator(f"input[name=decision-{kind}][value={choice}]").check()
            if reason:
                self.page.locator(f"input[name=reason-{kind}]").fill(reason)
        self.press("保存审核结果")

    def schedule_row(self, body: str) -> str:
        """Return what annex 3 says of a body."""
        self.open("/console/schedule")
        return self.page.locator("tr", has=self.page.get_by_role("cell", name=body, exact=True)).inner_text()


@dataclass(frozen=True, slots=True)
class System:
    """A department's own system, which knows the API and its token."""

    hall: Hall
    token: str

    def call(self, method: str, path: str, document: Any = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.hall.base}/api/v1{path}"
        return requests.request(method, url, json=document, headers=headers, timeout=20)


@dataclass(frozen=True, slots=True)
class Phone:
    """The resident's phone: chats with accounts, menus, and pages in the platform's web view."""

    hall: Hall
    page: Page

    def open(self, account: str) -> None:
        self.page.goto(f"{self.hall.sandbox}/phone/chat/{account}")

    def follow(self, account: str) -> None:
        self.page.goto(f"{self.hall.sandbox}/phone/")
        self.page.locator(f"a[href$='/{account}']").click()
        self.page.locator(".follow").get_by_role("button", name="关注").click()

    def write(self, words: str) -> None:
        self.page.get_by_placeholder("输入要办的事").fill(words)
        self.page.get_by_role("button", name="发送").click()

    @property
    def bubbles(self) -> Locator:
        return self.page.locator(".line.account .bubble")

    @property
    def cards(self) -> Locator:
        return self.page.locator("a.card")

    @property
    def web_view(self) -> FrameLocator:
        return self.page.frame_locator("iframe")

    def menu(self, account: str) -> list[str]:
        """Return every name in the account's menu, open or folded."""
        self.open(account)
        names = self.page.locator("nav.menu").locator("summary, button").all_text_contents()
        return [name.strip() for name in names]

    def wait_for_menu(self, account: str, *, name: str, there: bool = True) -> None:
        what = f"the menu of {account} {'shows' if there else 'has lost'} {name}"
        until(lambda: (name in self.menu(account)) == there, what, MENU_SECONDS)

    def tap(self, account: str, *path: str) -> None:
        """Tap through the menu."""
        self.open(account)
        for name in path:
            words = re.compile(rf"^\s*{re.escape(name)}\s*$")
            self.page.locator("nav.menu").locator("summary, button").filter(has_text=words).click()

    def services(self) -> list[str]:
        """Return the names of what can be opened from the residents' home page."""
        self.page.goto(f"{self.hall.base}/")
        return self.page.locator("a.service:not(.service-down) b").all_text_contents()


@dataclass(slots=True)
class Story:
    """What the steps of one journey hand on to each other.

    Attributes:
        secrets: words that must stand in no log.
    """

    hall: Hall
    browser: Browser
    phone: Phone
    desks: dict[str, Desk] = field(default_factory=dict)
    systems: dict[str, System] = field(default_factory=dict)
    page_ids: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def desk(self, name: str) -> Desk:
        """Return the desk of ``name``, a new one at first."""
        return self.desks.setdefault(name, Desk(self.hall, a_screen(self.browser, DESK)))

    def new_staff(self, username: str, role: str, scope: str = "") -> str:
        """Create an account on the command line and return its set-up link."""
        words = ["--username", username, "--name", "测试人员", "--role", role, "--scope", scope]
        link = self.hall.flask("staff", "create", *words).strip()
        self.secrets[f"set-up link of {username}"] = link.rpartition("/")[2]
        return link

    def demo_link(self, role: str) -> str:
        """Return a new one-time sign-in link for a demo account, by the role's Chinese name."""
        found = dict(line.split(": ", 1) for line in self.hall.flask("staff", "demo-links").splitlines())
        self.secrets |= {f"link of {name}": link.rpartition("/")[2] for name, link in found.items()}
        return found[role]
