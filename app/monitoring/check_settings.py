"""What may be set up of a check, and what it means for the prober. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app.core.errors import Invalid
from app.monitoring.domain import NAME_MAX, URL_MAX, CheckKind
from mobile_pages.guard import Policy, Refused, parse_target
from mobile_pages.probe.content import fold
from mobile_pages.probe.steps import METHODS, SCRIPT_MAX, WITH_BODY, Step, StepError, parse, secrets_of

INTERVAL_LEAST = 20
INTERVAL_MOST = 86_400
RENDERED_LEAST = 600
RENDERED_USUAL = 1800
HEALTH_SLOW_MS = 3000
"""From this on a health address counts as slow. Source: rule MAS-MON-02."""

TEXT_MAX = 100
TEXTS_MOST = 10
SECRET_MAX = 200
SECRETS_MOST = 10
ADDABLE = (CheckKind.API, CheckKind.TASK, CheckKind.RENDERED)
"""Kinds that staff add; a page's main check and its health check come by themselves."""

_SECRET_NAME = re.compile(r"[^\W\d]\w{0,29}")


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What differs by kind; what a kind does not need stays empty.

    Attributes:
        expected_title, must_contain, must_not_contain: of a page and, but for the title, of a rendered one.
        method, headers, body, expectations: of an interface, ``headers`` and ``expectations`` one a line.
        script: of a task, in the step language.
    """

    expected_title: str = ""
    must_contain: tuple[str, ...] = ()
    must_not_contain: tuple[str, ...] = ()
    method: str = "GET"
    headers: str = ""
    body: str = ""
    expectations: str = ""
    script: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> CheckSettings:
        """Read what :meth:`to_dict` wrote."""
        texts = {name: tuple(raw.get(name, ())) for name in ("must_contain", "must_not_contain")}
        return cls(**{**raw, **texts})


@dataclass(frozen=True, slots=True)
class Draft:
    """A check as somebody wants it.

    Attributes:
        interval_seconds: None as the rules of operation say.
        secrets: test credentials by name; None leaves those that are kept.
    """

    kind: CheckKind
    name: str = ""
    url: str = ""
    interval_seconds: int | None = None
    enabled: bool = True
    settings: CheckSettings = field(default_factory=CheckSettings)
    secrets: Mapping[str, str] | None = field(default=None, repr=False)


def validated(draft: Draft, policy: Policy, *, kept_secrets: frozenset[str] = frozenset()) -> Draft:
    """Return the draft in normal form.

    Args:
        kept_secrets: names of credentials that are sealed already.

    Raises:
        Invalid: says of each field what is wrong with it.
    """
    faults = _Faults()
    name = fold(draft.name)
    if draft.kind in ADDABLE and not 0 < len(name) <= NAME_MAX:
        faults.add("name", f"名称要填，最多 {NAME_MAX} 个字")
    _check_interval(draft, faults)
    wanted = replace(draft, name=name, settings=_settings(draft, faults))
    steps: tuple[Step, ...] = ()
    if draft.kind is CheckKind.API:
        wanted = replace(wanted, url=_url(draft.url, policy, faults))
    if draft.kind in (CheckKind.API, CheckKind.TASK) and not faults.found:
        steps = _steps(wanted, policy, faults)
    _check_secrets(wanted, steps, kept_secrets, faults)
    faults.settle()
    return replace(wanted, url=steps[0].url[:URL_MAX]) if draft.kind is CheckKind.TASK else wanted


def steps_of(kind: CheckKind, name: str, url: str, settings: CheckSettings) -> tuple[Step, ...]:
    """Return what an interface or task check does.

    Raises:
        StepError: it cannot be understood.
    """
    return parse(settings.script if kind is CheckKind.TASK else _script(name, url, settings))


def _script(name: str, url: str, settings: CheckSettings) -> str:
    """Write an interface check as a script of one step."""
    lines = [f"步骤 {name[:30]}", f"{settings.method} {url}"]
    lines += [f"请求头 {one}" for one in _lines(settings.headers)]
    lines += [f"正文 {one}" for one in _lines(settings.body)]
    lines += [f"应 {one.removeprefix('应').strip()}" for one in _lines(settings.expectations)]
    return "\n".join(lines)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\r\n", "\n").split("\n") if line.strip()]


class _Faults:
    """What is wrong, field by field."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, name: str, text: str) -> None:
        self.found.setdefault(name, []).append(text)

    def settle(self) -> None:
        if self.found:
            raise Invalid(fields=self.found)


def _check_interval(draft: Draft, faults: _Faults) -> None:
    least = RENDERED_LEAST if draft.kind is CheckKind.RENDERED else INTERVAL_LEAST
    seconds = draft.interval_seconds
    if seconds is not None and not least <= seconds <= INTERVAL_MOST:
        faults.add("interval_seconds", f"探测间隔为 {least} 秒到 1 天（{INTERVAL_MOST} 秒）")


def _settings(draft: Draft, faults: _Faults) -> CheckSettings:
    """Keep what the kind needs, in normal form."""
    given = draft.settings
    match draft.kind:
        case CheckKind.PAGE | CheckKind.RENDERED:
            if len(given.expected_title) > TEXT_MAX:
                faults.add("expected_title", f"最多 {TEXT_MAX} 个字")
            title = fold(given.expected_title) if draft.kind is CheckKind.PAGE else ""
            return CheckSettings(
                expected_title=title,
                must_contain=_texts("must_contain", given.must_contain, faults),
                must_not_contain=_texts("must_not_contain", given.must_not_contain, faults),
            )
        case CheckKind.API:
            if given.method not in METHODS:
                faults.add("method", "请求方法为 " + "、".join(METHODS))
            if given.body and given.method not in WITH_BODY:
                faults.add("body", f"{given.method} 请求不能带正文")
            if len(given.headers) + len(given.body) + len(given.expectations) > SCRIPT_MAX:
                faults.add("body", f"合计最多 {SCRIPT_MAX} 个字")
            return replace(CheckSettings(), **_only(given, "method", "headers", "body", "expectations"))
        case CheckKind.TASK:
            return CheckSettings(script=given.script)
        case CheckKind.HEALTH:
            return CheckSettings()


def _only(settings: CheckSettings, *names: str) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in names}


def _texts(name: str, texts: tuple[str, ...], faults: _Faults) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if len(wanted) > TEXTS_MOST or any(len(text) > TEXT_MAX for text in wanted):
        faults.add(name, f"最多 {TEXTS_MOST} 行，每行最多 {TEXT_MAX} 个字")
    return wanted


def _url(url: str, policy: Policy, faults: _Faults) -> str:
    try:
        return _judged(url.strip(), policy)
    except Refused as refused:
        faults.add("url", refused.detail_zh)
        return ""


def _judged(url: str, policy: Policy) -> str:
    target = parse_target(url)
    if target.literal is not None:
        policy.judge(target.literal, target.port)
    if len(target.url) > URL_MAX:
        raise Refused("too_long")
    return target.url


def _steps(draft: Draft, policy: Policy, faults: _Faults) -> tuple[Step, ...]:
    """Read the steps and judge where they go."""
    field_name = "script" if draft.kind is CheckKind.TASK else "expectations"
    try:
        steps = steps_of(draft.kind, draft.name, draft.url, draft.settings)
    except StepError as error:
        # The lines of an interface check are not those that were typed.
        faults.add(field_name, str(error) if draft.kind is CheckKind.TASK else error.detail)
        return ()
    for number, step in enumerate(steps, 1):
        try:
            _judged(re.sub(r"\{\{.*?\}\}", "x", step.url), policy)
        except Refused as refused:
            faults.add(field_name, f"第 {number} 步：{refused.detail_zh}")
    return steps


def _check_secrets(draft: Draft, steps: tuple[Step, ...], kept: frozenset[str], faults: _Faults) -> None:
    given = draft.secrets
    if given is not None:
        if len(given) > SECRETS_MOST:
            faults.add("secrets", f"测试账号信息最多 {SECRETS_MOST} 项")
        if any(not _SECRET_NAME.fullmatch(name) for name in given):
            faults.add("secrets", "名称用文字、数字和下划线，不能以数字开头")
        if any(not 0 < len(value) <= SECRET_MAX or not value.isprintable() for value in given.values()):
            faults.add("secrets", f"值要填，最多 {SECRET_MAX} 个字，不能有控制字符")
    missing = secrets_of(steps) - (kept if given is None else frozenset(given))
    if missing:
        faults.add("secrets", f"步骤里用到了“{'、'.join(sorted(missing))}”，请填它的值")
