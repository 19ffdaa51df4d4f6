"""Take the pictures of docs/images from a running demo (`make run` in another terminal)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
PHONE = {"width": 360, "height": 780}
DESK = {"width": 1280, "height": 800}
sys.path.insert(0, str(ROOT / "deploy"))
from run import complete_environment  # noqa: E402


def main() -> None:
    environment = complete_environment(demo=True)
    base, sandbox = environment["HALL_BASE_URL"], environment["HALL_SANDBOX_URL"]
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell"),
            # The pictures show our own pages only; as root the browser refuses to start otherwise.
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        phone(browser, base, sandbox)
        desk(browser, base, sign_in_link(environment))
        browser.close()


def phone(browser: Browser, base: str, sandbox: str) -> None:
    page = browser.new_page(viewport=PHONE, locale="zh-CN")
    page.goto(f"{base}/")
    picture(page, "phone-home")
    page.goto(f"{sandbox}/phone/chat/gd-wechat")
    if page.get_by_role("button", name="关注", exact=True).count():
        page.get_by_role("button", name="关注", exact=True).click()
    page.locator("input[name=text]").fill("户政")
    page.get_by_role("button", name="发送").click()
    card = page.locator("a", has_text="户政办理").last
    card.wait_for()
    picture(page, "phone-wechat")
    card.click()
    page.frame_locator("iframe").get_by_role("heading", name="户政办理").first.wait_for()
    picture(page, "phone-page")


def desk(browser: Browser, base: str, link: str) -> None:
    page = browser.new_page(viewport=DESK, locale="zh-CN")
    page.goto(link)
    page.locator("main form button").click()
    page.wait_for_url(f"{base}/staff/")
    page.goto(f"{base}/wall")
    picture(page, "wall")
    page.goto(f"{base}/console/pages?state=failed")
    page.get_by_role("link", name="产权交易").click()
    page.get_by_role("link", name="查看报告").first.click()
    page.wait_for_load_state()
    picture(page, "report")


def picture(page: Page, name: str) -> None:
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png")


def sign_in_link(environment: dict[str, str]) -> str:
    command = [Path(sys.executable).parent / "flask", "staff", "demo-links"]
    said = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    found = re.search(r"省级审核员: (\S+)", said.stdout)
    if not found:
        sys.exit("The hall is not prepared; run `make run` first.")
    return found[1]


if __name__ == "__main__":
    main()
