"""The step language: what a task probe does, as people write it and as the prober reads it.

One line says one thing. A step begins with its name; then come the request, what is sent with it,
what must be true of the answer (``应``) and what is kept of it for later steps (``取``)::

    步骤 登录
    POST https://sb.example.cn/api/login
    请求头 Content-Type: application/json
    正文 {"user": "{{密.账号}}", "password": "{{密.口令}}"}
    应 JSON /code = 0
    取 令牌 JSON /data/token

    步骤 查询办件
    GET https://sb.example.cn/api/cases?size=1
    请求头 Authorization: Bearer {{令牌}}
    应 状态码 = 200
    应 JSON /data/list 存在

``{{名字}}`` stands for a value kept before, ``{{密.名字}}`` for a test credential, which may stand in
headers and bodies only: addresses end up in the logs of every machine on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

import jsonpointer
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from mobile_pages.guard import Refused, parse_target

T = TypeVar("T")

SCRIPT_MAX = 20_000
STEPS_MAX = 10
LINES_MAX = 20
"""Of each kind in one step."""
LINE_MAX = 4000
NAME_MAX = 30
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD")
WITH_BODY = frozenset({"POST", "PUT"})

_NAME = re.compile(r"[^\W\d]\w{0,29}")
_VARIABLE = re.compile(r"\{\{(.*?)\}\}")
_SECRET = "密."
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,60}")
# What libcurl and the prober set themselves; another value would undo the guard or the exchange.
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect", "cookie"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Source(StrEnum):
    """Where in an answer something stands."""

    STATUS = "状态码"
    JSON = "JSON"  # RFC 6901 pointer
    CSS = "CSS"  # text of the first element that a selector finds
    HEADER = "响应头"
    COOKIE = "Cookie"
    BODY = "正文"


class Test(StrEnum):
    """What must be true of it."""

    __test__ = False  # not a test of pytest

    EQUALS = "="
    CONTAINS = "包含"
    LACKS = "不含"
    EXISTS = "存在"


_WITHOUT_PATH = frozenset({Source.STATUS, Source.BODY})
_TEST_WORD = re.compile(rf"(?<= )(?:{'|'.join(test.value for test in Test)})(?= |$)")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in an answer; ``path`` is a JSON pointer, a selector or a name, ``""`` for status and body."""

    source: Source
    path: str = ""

    def __str__(self) -> str:
        return f"{self.source.value} {self.path}" if self.path else self.source.value


@dataclass(frozen=True, slots=True)
class Expectation:
    place: Place
    test: Test
    value: str = ""

    def __str__(self) -> str:
        return f"{self.place} {self.test.value} {self.value}".rstrip()


@dataclass(frozen=True, slots=True)
class Extraction:
    """Keep what stands at ``place`` under ``name``."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Step:
    """One request and what its answer must be; texts may hold ``{{…}}``."""

    name: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    expectations: tuple[Expectation, ...] = ()
    extractions: tuple[Extraction, ...] = ()

    @property
    def wanted_status(self) -> frozenset[str]:
        """Status codes that the step names; empty for "any 2xx"."""
        return frozenset(
            one.value
            for one in self.expectations
            if one.place.source is Source.STATUS and one.test is Test.EQUALS
        )


class StepError(ValueError):
    """A script cannot be understood; ``line`` counts from 1, ``detail`` is Chinese."""

    def __init__(self, line: int, detail: str) -> None:
        self.line = line
        self.detail = detail
        super().__init__(f"第 {line} 行：{detail}")


def parse(script: str) -> tuple[Step, ...]:
    """Read a script.

    Raises:
        StepError: the first thing that is wrong with it.
    """
    if len(script) > SCRIPT_MAX:
        raise StepError(1, f"步骤说明太长，最多 {SCRIPT_MAX} 个字")
    steps: list[Step] = []
    for number, line in _lines(script):
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if word == "步骤":
            _refuse_unfinished(steps, number)
            if len(steps) == STEPS_MAX:
                raise StepError(number, f"最多 {STEPS_MAX} 步")
            if not 0 < len(rest) <= NAME_MAX:
                raise StepError(number, f"步骤要有名称，最多 {NAME_MAX} 个字")
            steps.append(Step(rest, "", ""))
        elif not steps:
            raise StepError(number, "先写“步骤 名称”")
        else:
            steps[-1] = _with_line(steps[-1], word, rest, number)
    _refuse_unfinished(steps, script.count("\n") + 1)
    if not steps:
        raise StepError(1, "至少要有一步")
    _refuse_unknown_variables(steps)
    return tuple(steps)


def render(steps: tuple[Step, ...]) -> str:
    """Write steps as a script that :func:`parse` reads back to the same."""
    blocks = []
    for step in steps:
        lines = [f"步骤 {step.name}", f"{step.method} {step.url}"]
        lines += [f"请求头 {name}: {value}" for name, value in step.headers]
        lines += [f"正文 {line}".rstrip() for line in step.body.split("\n") if step.body]
        lines += [f"应 {one}" for one in step.expectations]
        lines += [f"取 {one.name} {one.place}" for one in step.extractions]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def secrets_of(steps: tuple[Step, ...]) -> frozenset[str]:
    """Return the names of the credentials that the steps need."""
    texts = (text for step in steps for text in (*(value for _, value in step.headers), step.body))
    names = (found[1].strip() for text in texts for found in _VARIABLE.finditer(text))
    return frozenset(name.removeprefix(_SECRET) for name in names if name.startswith(_SECRET))


def fill(text: str, values: Mapping[str, str], secrets: Mapping[str, str]) -> str:
    """Put values in the place of ``{{…}}``; what they hold is not looked at again.

    Raises:
        KeyError: there is no such value.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        return secrets[name.removeprefix(_SECRET)] if name.startswith(_SECRET) else values[name]

    return _VARIABLE.sub(value, text)


def _lines(script: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(script.replace("\r\n", "\n").split("\n"), 1):
        if _CONTROL.search(line.replace("\t", " ")):
            raise StepError(number, "含有不允许的控制字符")
        if len(line) > LINE_MAX:
            raise StepError(number, f"一行最多 {LINE_MAX} 个字")
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.replace("\t", " ").strip()


def _with_line(step: Step, word: str, rest: str, number: int) -> Step:
    if word in METHODS:
        if step.url:
            raise StepError(number, "一步只能有一个请求")
        return replace(step, method=word, url=_url(rest, number))
    if not step.url:
        raise StepError(number, "先写请求，如“GET https://…”")
    match word:
        case "请求头":
            return replace(step, headers=_grown(step.headers, _header(rest, number), number))
        case "正文":
            if step.method not in WITH_BODY:
                raise StepError(number, f"{step.method} 请求不能带正文")
            _variables(rest, number)
            return replace(step, body=f"{step.body}\n{rest}" if step.body else rest)
        case "应":
            return replace(step, expectations=_grown(step.expectations, expectation(rest, number), number))
        case "取":
            return replace(step, extractions=_grown(step.extractions, _extraction(rest, number), number))
    raise StepError(number, "看不懂这一行，每行以“步骤、GET、POST、请求头、正文、应、取”开头")


def _grown(held: tuple[T, ...], one: T, number: int) -> tuple[T, ...]:
    if len(held) == LINES_MAX:
        raise StepError(number, f"一步里同类的行最多 {LINES_MAX} 行")
    return (*held, one)


def _url(text: str, number: int) -> str:
    if any(name.startswith(_SECRET) for name in _variables(text, number)):
        raise StepError(number, "密码等测试账号信息不能写在网址里，网址会留在沿途的日志中")
    try:
        target = parse_target(_VARIABLE.sub("x", text))
    except Refused as refused:
        raise StepError(number, refused.detail_zh) from None
    scheme, _, after = text.partition("://")
    if "{{" in after.partition("/")[0].partition("?")[0] or scheme.lower() != target.scheme:
        raise StepError(number, "网址的域名部分要写明，不能用变量")
    return text


def _header(text: str, number: int) -> tuple[str, str]:
    name, colon, value = (part.strip() for part in text.partition(":"))
    if not colon or not _TOKEN.fullmatch(name) or not value:
        raise StepError(number, "请求头写成“名称: 值”")
    if name.lower() in _OWN_HEADERS:
        raise StepError(number, f"请求头 {name} 由探测程序自己填写")
    if not _VARIABLE.sub("", value).isascii():
        raise StepError(number, "请求头的值只能用 ASCII 字符")
    _variables(value, number)
    return name, value


def expectation(text: str, number: int = 1) -> Expectation:
    """Read what stands after ``应``.

    Raises:
        StepError: it cannot be understood.
    """
    place, rest = _place(text, number)
    word, _, value = rest.partition(" ")
    value = value.strip()
    if word not in set(Test):
        raise StepError(number, "写明怎样才对：= 值、包含 值、不含 值、存在")
    test = Test(word)
    if (test is Test.EXISTS) == bool(value):
        raise StepError(number, "“存在”后面不写值，其余要写值")
    if place.source is Source.STATUS and (test is not Test.EQUALS or not re.fullmatch(r"[1-5]\d\d", value)):
        raise StepError(number, "状态码写成“状态码 = 200”")
    if place.source is Source.BODY and test not in (Test.CONTAINS, Test.LACKS):
        raise StepError(number, "正文只能用“包含”或“不含”")
    if _VARIABLE.search(value):
        raise StepError(number, "预期的值里不能用变量")
    return Expectation(place, test, value)


def _extraction(text: str, number: int) -> Extraction:
    name, _, rest = text.partition(" ")
    if not _NAME.fullmatch(name):
        raise StepError(number, "变量名用文字、数字和下划线，不能以数字开头，最多 30 个字")
    place, left = _place(rest.strip(), number)
    if left or place.source in _WITHOUT_PATH:
        raise StepError(number, "写成“取 变量名 JSON /路径”，也可用 CSS、响应头、Cookie")
    return Extraction(name, place)


def _place(text: str, number: int) -> tuple[Place, str]:
    """Return the place that ``text`` begins with and what follows it."""
    word, _, rest = text.partition(" ")
    if word not in set(Source):
        raise StepError(number, "写明看哪里：状态码、JSON、CSS、响应头、Cookie、正文")
    source, rest = Source(word), rest.strip()
    if source in _WITHOUT_PATH:
        return Place(source), rest
    path, rest = _selector(rest) if source is Source.CSS else _first_word(rest)
    _check_path(source, path, number)
    return Place(source, path), rest


def _first_word(text: str) -> tuple[str, str]:
    word, _, rest = text.partition(" ")
    return word, rest.strip()


def _selector(text: str) -> tuple[str, str]:
    """Return the selector that ``text`` begins with: up to a test that stands outside its brackets."""
    ends = (
        one
        for one in _TEST_WORD.finditer(text)
        if text.count("[", 0, one.start()) == text.count("]", 0, one.start())
    )
    end = next((one.start() for one in ends), len(text))
    return text[:end].strip(), text[end:].strip()


def _check_path(source: Source, path: str, number: int) -> None:
    if not 0 < len(path) <= 200:
        raise StepError(number, f"{source.value} 后面要写位置，最多 200 个字")
    match source:
        case Source.JSON:
            try:
                jsonpointer.JsonPointer(path)
            except jsonpointer.JsonPointerException:
                raise StepError(number, "JSON 位置写成 /data/token 这样（RFC 6901）") from None
        case Source.CSS:
            try:
                LexborHTMLParser("<p></p>").css(path)
            except SelectolaxError:
                raise StepError(number, "CSS 选择器写得不对") from None
        case _:
            if not _TOKEN.fullmatch(path):
                raise StepError(number, f"{source.value} 的名称写得不对")


def _variables(text: str, number: int) -> list[str]:
    names = [found[1].strip() for found in _VARIABLE.finditer(text)]
    if any(not _NAME.fullmatch(name.removeprefix(_SECRET)) for name in names):
        raise StepError(number, "变量写成 {{名字}} 或 {{密.名字}}")
    return names


def _refuse_unfinished(steps: list[Step], number: int) -> None:
    if steps and not steps[-1].url:
        raise StepError(number, f"步骤“{steps[-1].name}”没有请求")


def _refuse_unknown_variables(steps: list[Step]) -> None:
    known: set[str] = set()
    for place, step in enumerate(steps, 1):
        texts = (step.url, step.body, *(value for _, value in step.headers))
        used = {name for text in texts for name in _variables(text, place)}
        unknown = sorted(name for name in used - known if not name.startswith(_SECRET))
        if unknown:
            raise StepError(1, f"第 {place} 步“{step.name}”用到的变量“{unknown[0]}”在前面没有取过")
        known |= {one.name for one in step.extractions}
