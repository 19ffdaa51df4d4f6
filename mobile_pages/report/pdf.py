"""Prints an HTML report as PDF for people who read on paper."""

from __future__ import annotations

import time
from base64 import b64decode

from mobile_pages.artifact import Trouble
from mobile_pages.gather.browser import BrowserMissing, find_browser
from mobile_pages.gather.devtools import BrowserGone, Chromium, CommandFailed, DeadlinePassed

_DEADLINE_SECONDS = 120.0
# The report holds everything it shows; this browser has nothing to ask anybody for.
_FLAGS = (
    "--proxy-server=http://127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-breakpad",
    "--disable-gpu",
    "--no-first-run",
    "--no-pings",
    "--lang=zh-CN",
)
_INCHES_PER_MM = 1 / 25.4
_FOOTER = (
    '<div style="width:100%;font-size:11px;color:#5b6773;text-align:center">'
    '第 <span class="pageNumber"></span> 页，共 <span class="totalPages"></span> 页</div>'
)


def to_pdf(html: str) -> bytes:
    """Return ``html`` printed on A4 with page numbers; its text can be searched and read aloud.

    Starts a browser of its own, without network and scripts, and ends it.

    Raises:
        BrowserMissing: none is installed, or it could not print.
    """
    executable = find_browser()
    try:
        chromium = Chromium(executable, _FLAGS)
    except OSError:
        raise _failed() from None
    try:
        return _print(chromium, html)
    except (BrowserGone, CommandFailed, DeadlinePassed):
        raise _failed() from None
    finally:
        chromium.close()


def _print(chromium: Chromium, html: str) -> bytes:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    target = chromium.call("Target.createTarget", {"url": "about:blank"}, deadline=deadline)["targetId"]
    attached = chromium.call(
        "Target.attachToTarget", {"targetId": target, "flatten": True}, deadline=deadline
    )
    session = attached["sessionId"]
    off = {"value": True}
    chromium.call("Emulation.setScriptExecutionDisabled", off, session, deadline=deadline)
    tree = chromium.call("Page.getFrameTree", {}, session, deadline=deadline)
    content = {"frameId": tree["frameTree"]["frame"]["id"], "html": html}
    chromium.call("Page.setDocumentContent", content, session, deadline=deadline)
    paper = {
        "paperWidth": 210 * _INCHES_PER_MM,
        "paperHeight": 297 * _INCHES_PER_MM,
        "marginTop": 16 * _INCHES_PER_MM,
        "marginBottom": 18 * _INCHES_PER_MM,
        "marginLeft": 16 * _INCHES_PER_MM,
        "marginRight": 16 * _INCHES_PER_MM,
        "printBackground": True,
        "displayHeaderFooter": True,
        "headerTemplate": "<span></span>",
        "footerTemplate": _FOOTER,
        "generateTaggedPDF": True,
        "generateDocumentOutline": True,
    }
    return b64decode(chromium.call("Page.printToPDF", paper, session, deadline=deadline)["data"])


def _failed() -> BrowserMissing:
    return BrowserMissing(Trouble("browser_failed", "浏览器没有完成打印，PDF 没有生成。"))
