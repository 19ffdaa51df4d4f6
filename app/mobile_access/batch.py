"""Checks pages that nobody registered, many at a time: without a database and without the hall."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from app.mobile_access.judging import rules_under
from app.mobile_access.waivers import waivers_for
from config.access_spec.versions import PinchZoom, VersionRow
from config.settings import Settings
from mobile_pages.artifact import Artifact, Client, Declaration, Rendering, StaticPart, Trouble
from mobile_pages.gather.browser import BrowserMissing, BrowserPool
from mobile_pages.gather.page import PageLimits
from mobile_pages.gather.rendered import gather_rendered, openings_for
from mobile_pages.gather.static import gather_static
from mobile_pages.guard import Guard
from mobile_pages.report.document import StoredReport, refused, stored
from mobile_pages.spec.base import Need, Outcome, Profile, Rule, Severity, Verdict
from mobile_pages.spec.engine import RULE_ERROR, Overall, RuleResult, SpecRule, judge, load_rules
from mobile_pages.spec.personal import masked

log = structlog.get_logger(__name__)
_WATCH_SECONDS = 1.0
_USER_INFO = re.compile(r"(?<=//)[^/?#]*@")
_SHOWN_URL_LENGTH = 300
_STATIC_ONLY = Trouble("static_only", "按要求只做静态检查，未用浏览器打开。")
# A name that does not resolve is the page's fault and is judged like any page that does not open.
_PAGES_OWN_FAULT = frozenset({"guard_dns_failure", "guard_dns_empty"})
# What a rule that judges the attempt leaves open is the browser's part of it.
_BY_HTTP = frozenset({Need.DECLARATION, Need.STATIC})

# What these rules compare the page with stands in the registration. Without it a failure means nothing.
_COMPARED_WITH: Mapping[str, tuple[str, ...]] = {
    "MAS-ENT-03": ("name",),
    "MAS-ENT-04": ("name", "description"),
    "MAS-ENT-05": ("body_name",),
    "MAS-CNT-01": ("body_name", "hotline"),
    "MAS-CHN-04": ("domains",),
    "MAS-MON-02": ("health_url",),
}
_FIELD_NAMES = {
    "name": "服务名",
    "description": "介绍",
    "body_name": "单位",
    "hotline": "咨询热线",
    "domains": "其他域名",
    "health_url": "健康检查网址",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How the pages are checked.

    Attributes:
        spec: the version of the access spec that the pages are judged by.
        clients: whose browsers the page is opened in besides the plain one, which always opens it.
        static_only: plain HTTP alone; rules that need a browser are then not run.
    """

    settings: Settings
    guard: Guard
    spec: VersionRow
    profile: Profile
    clients: frozenset[Client]
    static_only: bool
    keep_picture: Callable[[bytes], str]


def check(declaration: Declaration, plan: Plan, pool: BrowserPool, *, now: datetime) -> StoredReport:
    """Visit and judge one page; whatever it does or is, the answer is a report."""
    kinds = tuple(one.value for one in Client if one in plan.clients and one.value in declaration.channels)
    declaration = replace(declaration, channels=kinds)
    if plan.profile is Profile.ELDER and declaration.elder_url is None:
        declaration = replace(declaration, elder_url=declaration.url)
    try:
        return _check(declaration, plan, pool, now)
    except Exception as error:  # a fault of ours over one page must not cost the others their reports
        log.error("check_broke", exc_info=error)
        return _refused(declaration, Trouble("internal_error", "检查程序自身出错，没有结论。"), plan, now)


def _check(declaration: Declaration, plan: Plan, pool: BrowserPool, now: datetime) -> StoredReport:
    static = gather_static(declaration, plan.guard)
    if (refusal := _refusal(static)) is not None:
        return _refused(declaration, refusal, plan, now)
    renderings, trouble = _rendered(declaration, static, plan, pool)
    artifact = Artifact(declaration, now.isoformat(), static, renderings, trouble)
    report = judge(
        artifact,
        plan.profile,
        spec_version=plan.spec.version,
        spec_rules=_rules_for(declaration, plan.spec.pinch_zoom),
        waivers=waivers_for(declaration.url, plan.settings, now.date()),
        on_error=_rule_broke,
    )
    return stored(report, artifact)


def _refused(declaration: Declaration, refusal: Trouble, plan: Plan, now: datetime) -> StoredReport:
    return refused(
        _shown(declaration.url),
        refusal,
        profile=plan.profile,
        spec_version=plan.spec.version,
        collected_at=now.isoformat(),
        name=declaration.name,
    )


def _rule_broke(rule: Rule, error: Exception) -> None:
    log.error("rule_broke", rule=rule.code, exc_info=error)


def exit_code(pages: Collection[StoredReport], *, static_only: bool) -> int:
    """Return 0 when no must-rule failed, 1 when some did, 2 when a page could not be judged.

    Rules that need a browser count as judged when nobody asked for one.
    """
    if any(page.refusal is not None for page in pages):
        return 2
    failed = any(page.report.totals.must_failed for page in pages)
    undecided = any(_is_undecided(page, static_only=static_only) for page in pages)
    return 2 if undecided else int(failed)


def _refusal(static: StaticPart) -> Trouble | None:
    """Return why the guard did not let the page be visited at all, None when it did."""
    trouble = static.entry.trouble
    if trouble is None or static.entry.hops or trouble.code in _PAGES_OWN_FAULT:
        return None
    return trouble if trouble.code.startswith("guard_") else None


def _shown(url: str) -> str:
    """Return an address as it may stand in a report, free of passwords and personal numbers."""
    shown = masked(_USER_INFO.sub("***@", url))
    return shown if len(shown) <= _SHOWN_URL_LENGTH else f"{shown[: _SHOWN_URL_LENGTH - 1]}…"


def _rendered(
    declaration: Declaration, static: StaticPart, plan: Plan, pool: BrowserPool
) -> tuple[tuple[Rendering, ...], Trouble | None]:
    if plan.static_only:
        return (), _STATIC_ONLY
    if static.entry.status == 0:
        return (), Trouble("not_opened", "入口没有回应，未用浏览器打开。")
    limits = PageLimits(deadline_seconds=plan.settings.check_deadline_seconds, watch_seconds=_WATCH_SECONDS)
    known = openings_for(declaration, elder=plan.profile is Profile.ELDER)
    openings = [one for one in known if one.client in {Client.PLAIN, *plan.clients}]
    try:
        with pool.lease() as browser:
            made = gather_rendered(
                declaration,
                browser,
                guard=plan.guard,
                openings=openings,
                store_screenshot=plan.keep_picture,
                limits=limits,
            )
    except BrowserMissing as missing:
        return (), missing.trouble
    return made, None


def _rules_for(declaration: Declaration, pinch_zoom: PinchZoom) -> Mapping[str, SpecRule]:
    """Return the rules, those that lack what they compare with softened to ask for a person's eye."""
    made = {}
    for key, one in rules_under(pinch_zoom).items():
        wanted = _COMPARED_WITH.get(one.rule.code, ())
        missing = [name for name in wanted if not getattr(declaration, name)]
        made[key] = _asking(one, missing) if missing else one
    return made


def _asking(one: SpecRule, missing: Collection[str]) -> SpecRule:
    judge_fully = one.rule.judge
    names = "、".join(_FIELD_NAMES[name] for name in missing)

    def judge_what_is_known(artifact: Artifact, profile: Profile) -> Outcome:
        outcome = judge_fully(artifact, profile)
        if outcome.verdict not in (Verdict.PASS, Verdict.FAIL):
            return outcome
        reason = f"没有给出{names}，无法对照登记信息。"
        return Outcome(Verdict.NEEDS_REVIEW, measured=outcome.measured, reason=reason)

    return replace(one, rule=replace(one.rule, judge=judge_what_is_known))


def _is_undecided(page: StoredReport, *, static_only: bool) -> bool:
    if page.report.verdict is not Overall.UNDECIDED:
        return False
    return not static_only or any(_lacks_verdict(one) for one in page.report.results)


def _lacks_verdict(result: RuleResult) -> bool:
    """Tell whether a must-rule that plain HTTP suffices for has no verdict."""
    if result.severity is not Severity.MUST or result.waiver:
        return False
    rule = load_rules()[result.id].rule
    by_http = rule.needs in _BY_HTTP and not rule.may_wait
    silent = result.verdict is Verdict.NOT_RUN and result.reason != _STATIC_ONLY.detail
    return result.reason.startswith(RULE_ERROR) or (by_http and silent)
