"""Keeps what a page does by itself while it is open: requests, dialogs, downloads, moves, errors."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from mobile_pages.artifact import Request, Trouble

REQUEST_CAP = 500
EVENT_CAP = 20
"""Of dialogs, downloads, windows, moves and exceptions so many are kept; a page that opens more dialogs
or moves on more often than that is stopped."""

GUARD_HEADER = "x-guard-code"
"""What the filtering proxy answers a refused request with."""

_TEXT_CAP = 300
_KINDS = {"eventsource": "other", "websocket": "other", "ping": "other", "preflight": "other"}
_MAX_AGE = re.compile(r"\bmax-age\s*=\s*\"?(\d{1,10})")
_NO_NETWORK = ("data:", "blob:", "about:", "chrome-error:")

Post = Callable[[str, Mapping[str, Any], str], None]
"""Sends a command without waiting: method, parameters, session."""


@dataclass(slots=True)
class Seen:
    """What happened so far, each list in order and capped."""

    exceptions: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)
    navigations: list[str] = field(default_factory=list)
    windows: list[str] = field(default_factory=list)


class Switchboard:
    """Hands every event of a browser to the page it belongs to; those of no page go to all."""

    def __init__(self) -> None:
        self._observers: dict[str, Observer] = {}

    def connect(self, observer: Observer) -> None:
        self._observers[observer.session] = observer

    def disconnect(self, observer: Observer) -> None:
        self._observers = {key: one for key, one in self._observers.items() if one is not observer}

    def __call__(self, method: str, params: Mapping[str, Any], session: str) -> None:
        """Take one event."""
        if not session:
            for observer in set(self._observers.values()):
                observer(method, params, session)
            return
        owner = self._observers.get(session)
        if owner is not None:
            if method == "Target.attachedToTarget":
                self._observers[params["sessionId"]] = owner
            owner(method, params, session)


@dataclass(slots=True)
class _Entry:
    url: str
    kind: str
    frame: str = ""
    status: int = 0
    bytes: int = 0
    decoded_bytes: int = 0
    media_type: str = ""
    encoding: str = ""
    cache_seconds: int | None = None
    blocked_by: str = ""
    done: bool = False
    canceled: bool = False


class Observer:
    """Takes the events of one page and its frames; answers dialogs and closes new windows."""

    def __init__(self, target: str, session: str, user_agent: Mapping[str, str], post: Post) -> None:
        self.main_frame = target
        self.session = session
        self._post = post
        self._frames = {target}
        self.begin(user_agent)
        self._handlers: dict[str, Callable[[Mapping[str, Any], str], None]] = {
            "Page.frameAttached": self._on_frame,
            "Page.frameNavigated": self._on_navigated,
            "Page.loadEventFired": self._on_loaded,
            "Page.windowOpen": self._on_window,
            "Page.javascriptDialogOpening": self._on_dialog,
            "Runtime.exceptionThrown": self._on_exception,
            "Network.requestWillBeSent": self._on_request,
            "Network.responseReceived": self._on_response,
            "Network.dataReceived": self._on_data,
            "Network.loadingFinished": self._on_finished,
            "Network.loadingFailed": self._on_failed,
            "Browser.downloadWillBegin": self._on_download,
            "Target.attachedToTarget": self._on_attached,
            "Target.targetCreated": self._on_target,
            "Target.targetCrashed": self._on_crashed,
            "Inspector.targetCrashed": self._on_crashed,
        }

    def begin(self, user_agent: Mapping[str, str]) -> None:
        """Forget what was seen: another page is about to be opened in the same tab."""
        self.document = ""
        self.loaded = False
        self.unusable: Trouble | None = None
        self.seen = Seen()
        self._user_agent = user_agent
        self._entries: list[_Entry] = []
        self._open: dict[tuple[str, str], _Entry] = {}
        self._changed_at = time.monotonic()
        self._stopped: Trouble | None = None
        self._refreshes = False

    def __call__(self, method: str, params: Mapping[str, Any], session: str) -> None:
        """Take one event."""
        handler = self._handlers.get(method)
        if handler is not None:
            handler(params, session)

    def trouble(self) -> Trouble | None:
        """Return why the page had to be stopped, None when it did not."""
        return self._stopped

    def quiet_for(self) -> float:
        """Return for how many seconds no request has been under way."""
        if self._is_loading():
            return 0.0
        return time.monotonic() - self._changed_at

    def may_change(self) -> bool:
        """Say whether something is still under way or the page's headers refresh it."""
        return self._refreshes or self._is_loading()

    def _is_loading(self) -> bool:
        return any(not entry.done for entry in self._open.values())

    def requests(self) -> tuple[Request, ...]:
        """Return the requests in order; those that the page itself took back are left out."""
        return tuple(
            Request(
                entry.url,
                entry.kind,
                entry.status,
                entry.bytes,
                entry.blocked_by,
                entry.decoded_bytes if entry.done and entry.status else None,
                entry.media_type,
                entry.encoding,
                entry.cache_seconds,
            )
            for entry in self._entries
            if not entry.canceled and not (entry.status == 0 and not entry.done)
        )

    def origins(self) -> list[str]:
        """Return the origins whose documents were opened, frames included."""
        parts = [urlsplit(entry.url) for entry in self._entries if entry.kind == "document"]
        return sorted({f"{one.scheme}://{one.netloc}" for one in parts})

    def refused_document(self) -> str:
        """Return the guard's code when the page's own address was refused, ``""`` when it was not."""
        documents = [entry for entry in self._entries if entry.kind == "document"]
        # The first is the page's own; a document of an embedded frame may be refused without harm to it.
        return next((one.blocked_by for one in reversed(documents) if one.frame == documents[0].frame), "")

    def _on_frame(self, params: Mapping[str, Any], session: str) -> None:
        self._frames.add(params["frameId"])

    def _on_navigated(self, params: Mapping[str, Any], session: str) -> None:
        frame = params["frame"]
        self._frames.add(frame["id"])
        if session != self.session or frame.get("parentId"):
            return
        self.main_frame = frame["id"]
        self.document = frame["loaderId"]
        self._changed_at = time.monotonic()
        url = frame["url"] + frame.get("urlFragment", "")
        if len(self.seen.navigations) >= EVENT_CAP:
            self._stop("navigation_loop", "页面不停地自动跳转。")
        else:
            self.seen.navigations.append(url[:2048])

    def _on_loaded(self, params: Mapping[str, Any], session: str) -> None:
        if session == self.session:
            self.loaded = True
            self._changed_at = time.monotonic()

    def _on_dialog(self, params: Mapping[str, Any], session: str) -> None:
        # Leaving a page is always allowed; every other question is answered with «cancel».
        accept = params["type"] == "beforeunload"
        self._post("Page.handleJavaScriptDialog", {"accept": accept}, session)
        if len(self.seen.dialogs) < EVENT_CAP:
            self.seen.dialogs.append(f"{params['type']}: {params['message'][:_TEXT_CAP]}")
        else:
            # Chromium does not end the script between two dialogs; only the process can be ended.
            self.unusable = Trouble("dialog_loop", "页面不停地弹出对话框。")

    def _on_exception(self, params: Mapping[str, Any], session: str) -> None:
        details = params["exceptionDetails"]
        text = details.get("exception", {}).get("description") or details.get("text", "")
        first_line = text.splitlines()[0] if text else "未知错误"
        place = f"({details.get('url', '')}:{details.get('lineNumber', 0) + 1})"
        if len(self.seen.exceptions) < EVENT_CAP:
            self.seen.exceptions.append(f"{first_line[:_TEXT_CAP]} {place[:_TEXT_CAP]}")

    def _on_request(self, params: Mapping[str, Any], session: str) -> None:
        url = params["request"]["url"]
        if url.startswith(_NO_NETWORK) or len(self._entries) >= REQUEST_CAP:
            return
        key = (session, params["requestId"])
        redirect, before = params.get("redirectResponse"), self._open.get(key)
        if before is not None and redirect:
            before.done = True
            before.status = redirect["status"]
        kind = str(params.get("type", "Other")).lower()
        self._open[key] = _Entry(url[:2048], _KINDS.get(kind, kind), params.get("frameId", ""))
        self._entries.append(self._open[key])
        self._changed_at = time.monotonic()

    def _on_response(self, params: Mapping[str, Any], session: str) -> None:
        entry = self._open.get((session, params["requestId"]))
        if entry is not None:
            entry.status = params["response"]["status"]
            headers = {name.lower(): value for name, value in params["response"]["headers"].items()}
            self._refreshes |= entry.kind == "document" and "refresh" in headers
            entry.media_type = str(params["response"].get("mimeType", "")).lower()[:100]
            entry.encoding = headers.get("content-encoding", "").strip().lower()[:20]
            max_age = _MAX_AGE.search(headers.get("cache-control", ""))
            entry.cache_seconds = int(max_age[1]) if max_age else None
            code = headers.get(GUARD_HEADER, "")
            if code:
                entry.status, entry.blocked_by = 0, code[:_TEXT_CAP]

    def _on_data(self, params: Mapping[str, Any], session: str) -> None:
        entry = self._open.get((session, params["requestId"]))
        if entry is not None:
            entry.decoded_bytes += int(params.get("dataLength", 0))

    def _on_finished(self, params: Mapping[str, Any], session: str) -> None:
        entry = self._open.get((session, params["requestId"]))
        if entry is not None:
            entry.done = True
            entry.bytes = int(params.get("encodedDataLength", 0))
            self._changed_at = time.monotonic()

    def _on_failed(self, params: Mapping[str, Any], session: str) -> None:
        entry = self._open.get((session, params["requestId"]))
        if entry is not None:
            entry.done = True
            entry.canceled = bool(params.get("canceled")) and entry.status == 0
            if not params.get("canceled"):
                entry.status = 0
            self._changed_at = time.monotonic()

    def _on_download(self, params: Mapping[str, Any], session: str) -> None:
        if params.get("frameId") not in self._frames:
            return
        if len(self.seen.downloads) < EVENT_CAP:
            name = params.get("suggestedFilename", "")
            self.seen.downloads.append(f"{params.get('url', '')[:_TEXT_CAP]} {name[:_TEXT_CAP]}".strip())

    def _on_attached(self, params: Mapping[str, Any], session: str) -> None:
        child, info = params["sessionId"], params["targetInfo"]
        if session != self.session or info["type"] == "page":
            return
        if info["type"] == "iframe":
            self._post("Emulation.setUserAgentOverride", self._user_agent, child)
            self._post("Page.enable", {}, child)
        if info["type"] != "service_worker":
            self._post("Network.enable", {}, child)
        self._post("Runtime.runIfWaitingForDebugger", {}, child)

    def _on_target(self, params: Mapping[str, Any], session: str) -> None:
        info = params["targetInfo"]
        if info["type"] == "page" and info.get("openerId"):
            self._post("Target.closeTarget", {"targetId": info["targetId"]}, "")

    def _on_window(self, params: Mapping[str, Any], session: str) -> None:
        if len(self.seen.windows) < EVENT_CAP:
            self.seen.windows.append(params["url"][:2048])

    def _on_crashed(self, params: Mapping[str, Any], session: str) -> None:
        # At browser level the event names the target; frames of other sites may crash alone.
        if session == self.session or params.get("targetId") == self.main_frame:
            self.unusable = Trouble("crashed", "页面使浏览器崩溃。")

    def _stop(self, code: str, detail: str) -> None:
        if self._stopped is None:
            self._stopped = Trouble(code, detail)
        self._post("Runtime.terminateExecution", {}, self.session)
        self._post("Page.stopLoading", {}, self.session)
