"""One open page: what can be done with it, each within its deadline."""

from __future__ import annotations

import contextlib
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mobile_pages.artifact import Client, Request, Trouble
from mobile_pages.gather.devtools import BrowserGone, Chromium, CommandFailed, DeadlinePassed, result_of
from mobile_pages.gather.observer import Observer, Seen

_ANDROID = "Mozilla/5.0 (Linux; Android 14; PHN-AL00) AppleWebKit/537.36 (KHTML, like Gecko)"
USER_AGENTS: Mapping[Client, str] = {
    Client.PLAIN: f"{_ANDROID} Chrome/126.0.0.0 Mobile Safari/537.36",
    Client.WECHAT: (
        f"{_ANDROID} Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 XWEB/1260117 MMWEBSDK/20240404 "
        "MMWEBID/1001 MicroMessenger/8.0.49.2600(0x28003133) WeChat/arm64 Weixin NetType/WIFI "
        "Language/zh_CN ABI/arm64"
    ),
    Client.ALIPAY: (
        f"{_ANDROID} Version/4.0 Chrome/126.0.0.0 UWS/5.12.5.0 Mobile Safari/537.36 UCBS/5.12.5.0 "
        "NebulaSDK/1.8.100112 Nebula AlipayDefined(nt:WIFI,ws:360|0|2.0) AliApp(AP/10.5.96.8000) "
        "AlipayClient/10.5.96.8000 Language/zh-Hans useStatusBar/true Region/CN"
    ),
}

_DENSITY = 2
_WORLD = "hall"
_STEP_SECONDS = 0.25
_BLANK_SECONDS = 2.0
_MARGIN_SECONDS = 0.5
# Layout, and the resize listeners of the page; a page that draws nothing gets no frames.
_TWO_FRAMES = """new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20)));
  setTimeout(done, 150);
})"""
# The same frames, then whether anything is left that moves, plays, loads, listens or leads on by itself.
_NOTHING_STIRS = f"""(async () => {{
  await {_TWO_FRAMES};
  const stirring = "iframe,frame,object,embed,audio,video,marquee,animate,animateMotion,animateTransform,set";
  const may = (one) => one.shadowRoot || one.getAttributeNames().some((name) => name.startsWith("on"));
  return document.readyState === "complete" && document.fonts.status === "loaded"
    && !document.getAnimations().length && !document.querySelector(`${{stirring}},meta[http-equiv=refresh i]`)
    && ![...document.querySelectorAll("*")].some(may);
}})()"""
_MANY_MOVES = 3
_ATTEMPTS = 3
_RETRY_SECONDS = 0.3
# Slow 4G as Lighthouse models it: 150 ms round trip, 1.6 Mbit/s down, 750 kbit/s up.
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
_UNTHROTTLED = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


class PageTrouble(Exception):
    """The page could not be opened or measured; ``trouble`` says why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.trouble = Trouble(code, detail)


_MOVING = ("navigation_loop", "页面不停地自动跳转,无法检查。")
_CRASHED = ("crashed", "页面使浏览器崩溃。")


@dataclass(frozen=True, slots=True)
class PageLimits:
    """What one page may cost.

    Attributes:
        deadline_seconds: for everything done with one load of the page.
        load_seconds: until the load event; afterwards what is there is measured.
        settle_seconds: at most this long is waited for requests after the load event, ``quiet_seconds``
            without any end it earlier.
        watch_seconds: how long after loading a page is watched for moving on by itself.
        memory_bytes: resident memory of the heaviest process of the page.
    """

    deadline_seconds: float = 20.0
    load_seconds: float = 12.0
    settle_seconds: float = 5.0
    quiet_seconds: float = 0.5
    memory_bytes: int = 768 * 1024 * 1024
    watch_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Device:
    """The phone that is played.

    Attributes:
        width: CSS px, and ``height``.
        slow_network: throttle as the spec's Slow 4G model does.
    """

    client: Client = Client.PLAIN
    width: int = 360
    height: int = 740
    slow_network: bool = False


class Page:
    """One open page. Methods raise :class:`PageTrouble`; the page cannot be used after that."""

    def __init__(self, chromium: Chromium, observer: Observer, device: Device, limits: PageLimits) -> None:
        self._chromium = chromium
        self._observer = observer
        self._device = device
        self._limits = limits
        self._started = time.monotonic()
        self._deadline = self._started + limits.deadline_seconds
        self._still_at = 0.0
        self._context: tuple[str, int] | None = None
        self.inert = False
        """Whether the page can do nothing more by itself: no script ran, and nothing else stirs."""

    @property
    def observed(self) -> Seen:
        """What the page did so far."""
        return self._observer.seen

    @property
    def gone(self) -> bool:
        """Whether the browser ended, e.g. because of another page."""
        return not self._chromium.alive()

    @property
    def elapsed_ms(self) -> int:
        return int((time.monotonic() - self._started) * 1000)

    @property
    def requests(self) -> tuple[Request, ...]:
        return self._observer.requests()

    @property
    def patience(self) -> float:
        """Seconds that may be spent waiting for a page that shows nothing."""
        return self._limits.settle_seconds

    @property
    def interruption(self) -> Trouble | None:
        """Why the page had to be stopped after it loaded, None when it did not."""
        return self._observer.trouble()

    @property
    def still_seconds(self) -> float:
        """Seconds since the page was found standing still, 0 before that."""
        return time.monotonic() - self._still_at if self._still_at else 0.0

    def go(self, url: str) -> Trouble | None:
        """Open ``url`` and wait until it stands still.

        Returns:
            None, or what kept the page from loading completely though it may be measured.

        Raises:
            PageTrouble: there is nothing to measure.
        """
        if not url.lower().startswith(("http://", "https://")):
            raise PageTrouble("scheme_refused", "网址必须以 http:// 或 https:// 开头。")
        load_deadline = min(self._deadline, self._started + self._limits.load_seconds)
        try:
            answer = self._command("Page.navigate", {"url": url}, deadline=load_deadline)
        except PageTrouble as error:
            if error.trouble.code != "timeout":
                raise
            raise PageTrouble(
                "timeout", f"服务器在 {self._limits.load_seconds:g} 秒内没有返回页面。"
            ) from None
        self._refuse_failed(answer)
        self._wait(lambda: self._observer.loaded or self.interruption is not None, load_deadline)
        if refused := self._observer.refused_document():
            raise PageTrouble(f"guard_{refused}", "网址跳转到了不允许访问的地址。")
        if not self._observer.loaded:
            return self.interruption or self._interrupt()
        self.inert = self._is_inert()
        if not self.inert:
            self._settle()
        self._still_at = time.monotonic()
        return self.interruption

    def start_over(self, client: Client, limits: PageLimits) -> bool:
        """Make the tab forget the page: its storage, cookies, cache and history. The deadline begins anew.

        The network is a fast one from then on. Works on a page that stands still; when it says no, open
        another instead.
        """
        try:
            self._start_over(client)
            self._limits = limits
        except PageTrouble:
            return False
        return True

    def _start_over(self, client: Client) -> None:
        self.begin_anew()
        with contextlib.suppress(CommandFailed):
            self._evaluate("try { sessionStorage.clear() } catch (error) {}")
        origins = self._observer.origins()
        self._observer.loaded = False
        self._command("Page.navigate", {"url": "about:blank"})
        self._wait(lambda: self._observer.loaded, min(self._deadline, self._started + _BLANK_SECONDS))
        for origin in origins:
            self._command("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        self._command("Network.clearBrowserCookies")
        self._command("Network.clearBrowserCache")
        self._command("Page.resetNavigationHistory")
        if self._device.slow_network:
            self._command("Network.emulateNetworkConditions", _UNTHROTTLED)
        self._device = replace(self._device, client=client, slow_network=False)
        self._command("Emulation.setUserAgentOverride", user_agent_of(client))
        self._observer.begin(user_agent_of(client))
        self._context = None
        self._still_at = 0.0
        self.inert = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """Let the deadline begin now."""
        self._started = time.monotonic()
        self._deadline = self._started + self._limits.deadline_seconds

    def go_on(self) -> None:
        """Keep storage and cookies; what is opened next counts as a page of its own with its own deadline."""
        self.begin_anew()
        self._observer.begin(user_agent_of(self._device.client))
        self._context = None

    def watch(self, seconds: float) -> None:
        """Keep the page open for ``seconds`` to see what it does by itself, less when time runs out."""
        self._wait(lambda: False, min(self._deadline - _MARGIN_SECONDS, time.monotonic() + seconds))

    def evaluate(self, expression: str) -> Any:
        """Return the JSON value of ``expression``, run where scripts of the page cannot interfere."""
        failure = ""
        for _ in range(_ATTEMPTS):
            try:
                return self._evaluate(expression)
            except CommandFailed as error:  # mostly because the document went away in between
                failure = str(error)
                self._context = None
                self._wait(lambda: False, min(self._deadline, time.monotonic() + _RETRY_SECONDS))
        if len(self.observed.navigations) > _MANY_MOVES:
            raise PageTrouble(*_MOVING)
        raise PageTrouble("script_failed", f"页面无法测量:{failure[:200]}")

    def resize(self, width: int) -> None:
        """Show the page at another width."""
        self._command("Emulation.setDeviceMetricsOverride", metrics_of(width, self._device.height))
        self.evaluate(_TWO_FRAMES)

    def screenshot(self, height: int, width: int | None = None) -> bytes:
        """Return PNG bytes of the page down to ``height`` CSS px, one pixel per CSS px.

        Args:
            width: the one last given to :meth:`resize`; None for the device's own.
        """
        width = width or self._device.width
        answer = self._command(
            "Page.captureScreenshot",
            {
                "format": "png",
                # Anything longer than the screen costs a new layout.
                "captureBeyondViewport": height > self._device.height,
                "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1 / _DENSITY},
            },
        )
        return b64decode(answer["data"])

    def history_length(self) -> int:
        """Return how many entries the tab's history holds, the blank page it began with left out."""
        answer = self._command("Page.getNavigationHistory")
        return sum(entry["url"] != "about:blank" for entry in answer["entries"])

    def _evaluate(self, expression: str) -> Any:
        frame = self._observer.main_frame
        if self._context is None or self._context[0] != self._observer.document:
            document = self._observer.document
            world = self._send(
                "Page.createIsolatedWorld", {"frameId": frame, "worldName": _WORLD}, self._deadline
            )
            self._context = (document, world["executionContextId"])
        answer = self._send(
            "Runtime.evaluate",
            {
                "expression": expression,
                "contextId": self._context[1],
                "returnByValue": True,
                "awaitPromise": True,
            },
            self._deadline,
        )
        if "exceptionDetails" in answer:
            text = answer["exceptionDetails"].get("exception", {}).get("description", "")
            raise CommandFailed(text)
        return answer["result"].get("value")

    def _is_inert(self) -> bool:
        """Say whether nothing can happen any more unless somebody touches the page.

        Called when the page has loaded, before any script of ours. What it cannot prove it denies.
        """
        if self._observer.may_change() or self._script_seconds() != 0:
            return False
        try:
            stands = self._evaluate(_NOTHING_STIRS)
        except CommandFailed:
            return False
        return bool(stands) and not self._observer.may_change()

    def _script_seconds(self) -> float | None:
        """Return how long scripts have run in the page, None when the browser does not tell."""
        metrics = self._command("Performance.getMetrics")["metrics"]
        return next((one["value"] for one in metrics if one["name"] == "ScriptDuration"), None)

    def _settle(self) -> None:
        """Wait until no request has been under way for a moment."""
        end = min(self._deadline, time.monotonic() + self._limits.settle_seconds)
        quiet = self._limits.quiet_seconds
        self._wait(lambda: self._observer.quiet_for() >= quiet, end, step_seconds=min(quiet, _STEP_SECONDS))

    def _interrupt(self) -> Trouble:
        """Stop a page that never ends loading, so that what stands there can be measured."""
        self._post("Runtime.terminateExecution")
        self._post("Page.stopLoading")
        return Trouble("timeout", f"页面在 {self._limits.load_seconds:g} 秒内没有加载完。")

    def _refuse_failed(self, answer: Mapping[str, Any]) -> None:
        if answer.get("isDownload") or self.observed.downloads:
            raise PageTrouble("download", "网址给出的是下载文件,不是页面。")
        error = answer.get("errorText", "")
        if error:
            raise PageTrouble("unreachable", f"浏览器打不开页面({error})。")

    def _wait(
        self, until: Callable[[], bool], deadline: float, *, step_seconds: float = _STEP_SECONDS
    ) -> bool:
        """Handle events until ``until`` or the deadline, with an eye on memory and crashes."""
        try:
            while True:
                step = min(deadline, time.monotonic() + step_seconds)
                reached = self._chromium.wait(lambda: until() or bool(self._observer.unusable), deadline=step)
                if self._observer.unusable:
                    trouble = self._observer.unusable
                    raise PageTrouble(trouble.code, trouble.detail)
                if reached:
                    return True
                self._refuse_heavy()
                if time.monotonic() >= deadline:
                    return False
        except BrowserGone:
            raise PageTrouble(*_CRASHED) from None

    def _refuse_heavy(self) -> None:
        size = self._chromium.heaviest_process_bytes()
        if size > self._limits.memory_bytes:
            limit = self._limits.memory_bytes // 1024**2
            raise PageTrouble("memory", f"页面占用内存超过 {limit} MB。")

    def _command(
        self, method: str, params: Mapping[str, Any] | None = None, deadline: float | None = None
    ) -> dict[str, Any]:
        try:
            return self._send(method, params or {}, deadline or self._deadline)
        except CommandFailed as error:
            raise PageTrouble("browser_failed", f"浏览器没有完成检查步骤({error})。") from None

    def _send(self, method: str, params: Mapping[str, Any], deadline: float) -> dict[str, Any]:
        """Send a command and wait in steps, so that a crash or a memory hog ends the wait."""
        replies: list[Mapping[str, Any]] = []
        self._post(method, params, on_reply=replies.append)
        if not self._wait(lambda: bool(replies), deadline):
            if len(self.observed.navigations) > _MANY_MOVES:
                raise PageTrouble(*_MOVING)
            raise PageTrouble("timeout", f"页面在 {self._limits.deadline_seconds:g} 秒内没有检查完。")
        return result_of(method, replies[0])

    def _post(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        on_reply: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        try:
            session = self._observer.session
            self._chromium.post(method, params, session, on_reply=on_reply, deadline=self._deadline)
        except BrowserGone:
            raise PageTrouble(*_CRASHED) from None
        except DeadlinePassed:
            raise PageTrouble("timeout", "浏览器没有反应。") from None


def user_agent_of(client: Client) -> dict[str, str]:
    """Return the parameters that make the browser call itself ``client``."""
    return {
        "userAgent": USER_AGENTS[client],
        "acceptLanguage": "zh-CN,zh;q=0.9",
        "platform": "Linux armv8l",
    }


def metrics_of(width: int, height: int) -> dict[str, Any]:
    """Return the parameters that make the browser a phone of this size."""
    return {
        "width": width,
        "height": height,
        "screenWidth": width,
        "screenHeight": height,
        "deviceScaleFactor": _DENSITY,
        "mobile": True,
    }
