"""A browser that opens hostile pages for one caller at a time and always comes back.

Every page gets a browser context of its own (no cookies, no storage, no service worker of another
page), the unprivileged user and the sandbox of :mod:`mobile_pages.gather.devtools`, and a deadline.
A page that hangs, crashes or eats memory costs the browser process, never the caller. The thread that
has a page open may open a second one beside it.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mobile_pages.artifact import Trouble
from mobile_pages.gather.devtools import BrowserGone, Chromium, CommandFailed, DeadlinePassed
from mobile_pages.gather.observer import Observer, Switchboard
from mobile_pages.gather.page import (
    SLOW_4G,
    Device,
    Page,
    PageLimits,
    PageTrouble,
    metrics_of,
    user_agent_of,
)

EXECUTABLES = ("chromium-headless-shell", "chrome-headless-shell")

_FLAGS = (
    # What a page must not reach or do. Every page names its own proxy; whatever does not goes nowhere.
    "--proxy-server=http://127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-file-system",
    "--js-flags=--max-old-space-size=256",
    # What the browser must not do by itself.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-breakpad",
    "--disable-domain-reliability",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--metrics-recording-only",
    "--mute-audio",
    "--hide-scrollbars",
    "--lang=zh-CN",
    "--disable-gpu",
)
_PERMISSIONS = ("geolocation", "notifications", "camera", "microphone", "clipboard-read", "midi")
_START_SECONDS = 15.0
_TIDY_SECONDS = 3.0


class BrowserMissing(Exception):
    """No browser could be started; ``trouble`` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.detail)
        self.trouble = trouble


def find_browser() -> str:
    """Return the path of the headless browser.

    Raises:
        BrowserMissing: none is installed.
    """
    for name in EXECUTABLES:
        path = shutil.which(name)
        if path:
            return path
    raise BrowserMissing(Trouble("browser_missing", "本机没有安装 chromium-headless-shell,未做浏览器检查。"))


class Browser:
    """One browser process, started when first needed and again after every page that broke it.

    For one thread at a time; a second one waits.
    """

    def __init__(self, executable: str | None = None) -> None:
        """Prepare a browser; ``executable`` None takes the one that is installed."""
        self._executable = executable
        self._chromium: Chromium | None = None
        self._switchboard = Switchboard()
        self._lock = threading.RLock()

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the running browser, None when there is none."""
        return self._chromium.pid if self._chromium else None

    def close(self) -> None:
        """End the browser with everything it started."""
        with self._lock:
            self._kill()

    @contextlib.contextmanager
    def open_page(self, device: Device, *, proxy: str, limits: PageLimits | None = None) -> Iterator[Page]:
        """Give a fresh page in a context of its own; the context goes when the block ends.

        Args:
            proxy: ``host:port`` that every request of the page goes through, also those to loopback.

        Raises:
            BrowserMissing: no browser is installed or none can be started.
            PageTrouble: the browser broke twice while the page was prepared.
        """
        with self._lock:
            chromium, tab, page = self._fresh_page(device, proxy, limits or PageLimits())
            try:
                yield page
            except PageTrouble:
                # Whatever hangs, loops or hoards memory in there ends for certain with the process.
                self._kill()
                raise
            except BaseException:
                self._kill()
                raise
            self._tidy(chromium, tab)

    def _fresh_page(self, device: Device, proxy: str, limits: PageLimits) -> tuple[Chromium, _Tab, Page]:
        for _ in range(2):
            chromium = self._running()
            try:
                tab = _prepare(chromium, self._switchboard, device, proxy)
                return chromium, tab, Page(chromium, tab.observer, device, limits)
            except (BrowserGone, CommandFailed, DeadlinePassed):
                self._kill()
        raise PageTrouble("browser_failed", "浏览器没有反应,请稍后重新检查。")

    def _running(self) -> Chromium:
        if self._chromium is not None and self._chromium.alive():
            return self._chromium
        self._kill()
        try:
            self._chromium = Chromium(self._executable or find_browser(), _FLAGS)
            self._switchboard = Switchboard()
            self._chromium.listener = self._switchboard
            self._chromium.call("Browser.getVersion", deadline=time.monotonic() + _START_SECONDS)
        except (BrowserGone, DeadlinePassed, OSError):
            self._kill()
            raise BrowserMissing(
                Trouble("browser_failed", "浏览器无法启动(沙箱需要系统允许用户命名空间),未做浏览器检查。")
            ) from None
        return self._chromium

    def _tidy(self, chromium: Chromium, tab: _Tab) -> None:
        if not chromium.alive():  # another page was the end of it
            return
        try:
            self._switchboard.disconnect(tab.observer)
            chromium.call(
                "Target.disposeBrowserContext",
                {"browserContextId": tab.context},
                deadline=time.monotonic() + _TIDY_SECONDS,
            )
        except (BrowserGone, CommandFailed, DeadlinePassed):
            self._kill()

    def _kill(self) -> None:
        if self._chromium is not None:
            self._chromium.close()
            self._chromium = None


class BrowserPool:
    """So many browsers for so many job threads; each is lent to one thread at a time."""

    def __init__(self, size: int = 1) -> None:
        self._browsers = [Browser() for _ in range(size)]
        # The one given back last comes first: while one is enough, no other is started.
        self._free: queue.LifoQueue[Browser] = queue.LifoQueue()
        for browser in self._browsers:
            self._free.put(browser)

    def __enter__(self) -> BrowserPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def lease(self) -> Iterator[Browser]:
        """Lend a browser; wait until one is free."""
        browser = self._free.get()
        try:
            yield browser
        finally:
            self._free.put(browser)

    def close(self) -> None:
        """End all browsers."""
        for browser in self._browsers:
            browser.close()


@dataclass(frozen=True, slots=True)
class _Tab:
    """A blank tab in a context of its own."""

    context: str
    observer: Observer


def _prepare(chromium: Chromium, switchboard: Switchboard, device: Device, proxy: str) -> _Tab:
    """Open a blank tab as ``device`` in a context of its own."""
    deadline = time.monotonic() + _START_SECONDS

    def call(method: str, params: Mapping[str, Any], session: str = "") -> dict[str, Any]:
        return chromium.call(method, params, session, deadline=deadline)

    def post(method: str, params: Mapping[str, Any], session: str) -> None:
        chromium.post(method, params, session, deadline=time.monotonic() + _TIDY_SECONDS)

    of_its_own = {"disposeOnDetach": True, "proxyServer": proxy, "proxyBypassList": "<-loopback>"}
    context = call("Target.createBrowserContext", of_its_own)["browserContextId"]
    call(
        "Browser.setDownloadBehavior",
        {"behavior": "deny", "browserContextId": context, "eventsEnabled": True},
    )
    for name in _PERMISSIONS:
        permission = {"permission": {"name": name}, "setting": "denied", "browserContextId": context}
        call("Browser.setPermission", permission)
    target = call("Target.createTarget", {"url": "about:blank", "browserContextId": context})["targetId"]
    session = call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
    steps: list[tuple[str, Mapping[str, Any]]] = [
        ("Page.enable", {}),
        ("Runtime.enable", {}),
        ("Network.enable", {"maxTotalBufferSize": 0, "maxResourceBufferSize": 0}),
        ("Performance.enable", {}),
        ("Network.setBypassServiceWorker", {"bypass": True}),
        ("Emulation.setUserAgentOverride", user_agent_of(device.client)),
        ("Emulation.setDeviceMetricsOverride", metrics_of(device.width, device.height)),
        ("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5}),
        ("Emulation.setLocaleOverride", {"locale": "zh-CN"}),
        ("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}),
    ]
    if device.slow_network:
        steps.append(("Network.emulateNetworkConditions", SLOW_4G))
    for method, params in steps:
        call(method, params, session)
    observer = Observer(target, session, user_agent_of(device.client), post)
    switchboard.connect(observer)
    call("Target.setDiscoverTargets", {"discover": True})
    return _Tab(context, observer)
