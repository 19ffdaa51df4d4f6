"""A look of several requests, as a resident who signs in would make them.

Every step passes the guard and shares the look's deadline and cookies. What credentials and kept
values hold never leaves this module: results name places and expectations, not what stood there.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

import jsonpointer
from selectolax.lexbor import LexborHTMLParser
from tornado.httpclient import HTTPResponse

from mobile_pages.guard import Refused, parse_target
from mobile_pages.probe.base import Cause, Phases, ProbeResult
from mobile_pages.probe.content import decode, fold, parsed
from mobile_pages.probe.curl_errors import Failure
from mobile_pages.probe.http import MAX_REDIRECTS, HttpProber, Trip
from mobile_pages.probe.steps import Expectation, Place, Source, Step, Test, fill
from mobile_pages.probe.targets import TaskTarget

# At DEBUG tornado logs every header and body that is sent, credentials among them.
logging.getLogger("tornado.curl_httpclient").setLevel(logging.INFO)

BODY_MOST_BYTES = 1024 * 1024
VALUE_MOST = 4000
EXCERPT_BYTES = 1024
_HIDE_FROM = 4
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAME_AGAIN = frozenset({307, 308})


@dataclass(frozen=True, slots=True)
class StepLook:
    """What one step met, for those who try a task out; credentials in ``excerpt`` are blotted out."""

    name: str
    status: int | None
    phases: Phases
    excerpt: str


class TaskProber:
    """Goes through tasks with the client, guard and limits of ``http``."""

    def __init__(self, http: HttpProber) -> None:
        self._http = http

    async def look(self, target: TaskTarget, told: list[StepLook] | None = None) -> ProbeResult:
        """Look once. Whatever the network does is told in the result, never raised.

        Args:
            told: one entry per step that was reached is added to it.
        """
        run = _Run(self._http, target, told)
        result = await self._http.travel(target, run.go)
        # The address of the moment may hold what a step kept.
        return replace(result, final_url=run.step.url)


class _Run:
    """One going through a task: where it stands and what it has kept."""

    def __init__(self, http: HttpProber, target: TaskTarget, told: list[StepLook] | None) -> None:
        self._http = http
        self._target = target
        self._told = told
        self._kept: dict[str, str] = {}
        self.step = target.steps[0]

    async def go(self, trip: Trip) -> None:
        for number, step in enumerate(self._target.steps, 1):
            self.step = step
            before = trip.phases
            answer = None
            try:
                answer = await self._ask(trip, step)
                self._judge(step, _Answer(answer, trip))
            except Failure as failure:
                named = f"第 {number} 步“{step.name}”：" if len(self._target.steps) > 1 else ""
                raise Failure(failure.cause, f"{named}{failure.detail}") from None
            finally:
                self._tell(trip, step, answer, _less(trip.phases, before))

    async def _ask(self, trip: Trip, step: Step) -> HTTPResponse:
        self._prepare(trip, step)
        turns = 0
        while True:
            answer = await self._http.fetch(trip)
            location = answer.headers.get("Location")
            if str(answer.code) in step.wanted_status or answer.code not in _REDIRECTS or not location:
                trip.take_cookies(answer)
                return answer
            turns += 1
            if turns > MAX_REDIRECTS:
                raise Failure(Cause.REDIRECT_LOOP, "不停跳转，无法打开。")
            _turn(trip, answer, location)

    def _prepare(self, trip: Trip, step: Step) -> None:
        encoded = {name: quote(value, safe="") for name, value in self._kept.items()}
        try:
            trip.go(parse_target(fill(step.url, encoded, {})).url)
        except Refused as refused:
            raise Failure(Cause.BAD_ANSWER, "用前面取到的值拼成的网址不合规范。") from refused
        trip.method = step.method
        trip.headers = {name: self._filled(value) for name, value in step.headers}
        for value in trip.headers.values():
            if not value.isascii() or not value.isprintable():
                raise Failure(Cause.BAD_ANSWER, "前面取到的值含有不能放进请求头的字符。")
        trip.body = self._filled(step.body).encode() if step.method in ("POST", "PUT") else None

    def _filled(self, text: str) -> str:
        return fill(text, self._kept, self._target.secrets)

    def _judge(self, step: Step, answer: _Answer) -> None:
        if not step.wanted_status and not 200 <= answer.status < 300:
            raise Failure(Cause.HTTP_STATUS, f"服务器返回状态码 {answer.status}。")
        for one in step.expectations:
            answer.must(one)
        for kept in step.extractions:
            value = answer.at(kept.place)
            if value is None:
                raise Failure(Cause.WRONG_CONTENT, f"没有取到“{kept.name}”（{kept.place}）。")
            if len(value) > VALUE_MOST:
                raise Failure(Cause.TOO_LARGE, f"“{kept.name}”（{kept.place}）太长。")
            self._kept[kept.name] = value

    def _tell(self, trip: Trip, step: Step, answer: HTTPResponse | None, phases: Phases) -> None:
        if self._told is None:
            return
        excerpt = ""
        if answer is not None:
            hidden = [*self._target.secrets.values(), *self._worth_hiding(step, _Answer(answer, trip))]
            excerpt = excerpt_of(answer.body, answer.headers.get("Content-Type", ""), hidden)
        self._told.append(StepLook(step.name, trip.status, phases, excerpt))

    def _worth_hiding(self, step: Step, answer: _Answer) -> Iterator[str]:
        """Yield what is kept or would have been, had nothing failed before; a digit or two hides nothing."""
        found = [*self._kept.values()]
        for one in step.extractions:
            with contextlib.suppress(Failure):
                found.append(answer.at(one.place) or "")
        return (value for value in found if len(value) >= _HIDE_FROM)


class _Answer:
    """An answer as expectations ask about it; parsed when first asked."""

    def __init__(self, answer: HTTPResponse, trip: Trip) -> None:
        self._answer = answer
        self._trip = trip
        self._text: str | None = None
        self._json: Any = self  # stands for "not read yet", which no JSON value is
        self._html: LexborHTMLParser | None = None

    @property
    def status(self) -> int:
        return int(self._answer.code)

    def must(self, expected: Expectation) -> None:
        """Check one expectation.

        Raises:
            Failure: it is not met; says which, not what stood there instead.
        """
        if expected.place.source is Source.STATUS:
            if str(self.status) != expected.value:
                raise Failure(Cause.HTTP_STATUS, f"服务器返回状态码 {self.status}，应为 {expected.value}。")
            return
        value = self.at(expected.place)
        match expected.test:
            case Test.LACKS:
                met = value is None or expected.value not in value
            case Test.EXISTS:
                met = value is not None
            case Test.CONTAINS:
                met = value is not None and expected.value in value
            case Test.EQUALS:
                met = value is not None and fold(value) == fold(expected.value)
        if not met:
            raise Failure(Cause.WRONG_CONTENT, f"应“{expected}”，实际不是。")

    def at(self, place: Place) -> str | None:
        """Return the text at a place; None when there is none."""
        match place.source:
            case Source.STATUS:
                return str(self.status)
            case Source.BODY:
                return self._read()
            case Source.HEADER:
                return self._answer.headers.get(place.path)
            case Source.COOKIE:
                return next((one.value for one in self._trip.jar if one.name == place.path), None)
            case Source.CSS:
                self._html = self._html or parsed(self._read())
                found = self._html.css_first(place.path)
                return None if found is None else fold(found.text())
            case Source.JSON:
                return _text(jsonpointer.resolve_pointer(self._document(), place.path, _NOTHING))

    def _read(self) -> str:
        if self._text is None:
            if len(self._answer.body) > BODY_MOST_BYTES:
                raise Failure(Cause.TOO_LARGE, "应答内容过大，无法核对。")
            self._text = decode(self._answer.body, self._answer.headers.get("Content-Type", ""))
        return self._text

    def _document(self) -> Any:
        if self._json is self:
            try:
                self._json = json.loads(self._read())
            except (ValueError, RecursionError):
                raise Failure(Cause.WRONG_CONTENT, "应答不是有效的 JSON。") from None
        return self._json


_NOTHING = object()


def _text(value: Any) -> str | None:
    """Return a JSON value as people write it; a number and its text are alike."""
    if value is _NOTHING or isinstance(value, jsonpointer.EndOfList):
        return None
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _turn(trip: Trip, answer: HTTPResponse, location: str) -> None:
    """Go where a redirect points; what was meant for one site is not carried to another."""
    before = _origin(trip.url)
    trip.turn(answer, location)
    again = answer.code in _SAME_AGAIN
    if _origin(trip.url) != before:
        if again and trip.body:
            raise Failure(Cause.BAD_REDIRECT, "跳转到了另一个网站，提交的内容不转交。")
        trip.headers = {}
    if not again:
        trip.method, trip.body = ("HEAD" if trip.method == "HEAD" else "GET"), None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _less(whole: Phases, part: Phases) -> Phases:
    return Phases(
        whole.dns_ms - part.dns_ms,
        whole.connect_ms - part.connect_ms,
        whole.tls_ms - part.tls_ms,
        whole.first_byte_ms - part.first_byte_ms,
        whole.transfer_ms - part.transfer_ms,
    )


def excerpt_of(body: bytes, content_type: str, hidden: list[str]) -> str:
    """Return the beginning of an answer as text with the ``hidden`` values blotted out."""
    text = decode(body[: EXCERPT_BYTES * 8], content_type)
    for value in sorted(filter(None, hidden), key=len, reverse=True):
        as_json = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
        for form in (value, *as_json, quote(value, safe="")):
            text = text.replace(form, "＊＊＊")
    cut = text.encode()[:EXCERPT_BYTES].decode(errors="ignore")
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in cut)
