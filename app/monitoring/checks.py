"""Checks of a page: what is looked at besides opening it, set up by its body, and what the prober is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.core import audit, db, outbox, vault
from app.core.access import Permission
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.core.ids import new_id
from app.mobile_access import service as mobile_access
from app.mobile_access.service import PageView, State, WatchedPage
from app.monitoring.check_settings import (
    ADDABLE,
    HEALTH_SLOW_MS,
    RENDERED_USUAL,
    CheckSettings,
    Draft,
    steps_of,
    validated,
)
from app.monitoring.domain import CHECK_KIND_LABELS, NAME_MAX, CheckKind, Terms
from app.monitoring.models import PageCheck
from app.monitoring.policy import TermsBook
from app.organisations import service as organisations
from app.organisations.service import Principal
from mobile_pages.guard import Policy
from mobile_pages.probe.base import ProbeTarget
from mobile_pages.probe.steps import secrets_of
from mobile_pages.probe.targets import RenderedTarget, TaskTarget

OBJECT = "page_check"
SYSTEM = "system:watch"
SECRETS_FIELD = "check_secrets"
TRY_JOB = "monitoring.try-check"
CHECKS_MOST = 10
"""Of one page, besides its main and its health check."""

FIRST_VERSION = 1
_TASK_SECONDS = 3.0
"""A task of several requests may take this many times as long as one look."""


class TooManyChecks(Conflict):
    code = "too_many_checks"
    title = f"一个网页最多另设 {CHECKS_MOST} 项探测"
    title_en = "The page has as many checks as it may"


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check as it is set up.

    Attributes:
        version: 0 of a main check of which nothing was set up yet.
        secret_names: credentials that are sealed; their values are never shown.
        tried: what the last try-out found; None before the first.
    """

    id: int
    page_id: int
    body_id: int
    page_name: str
    kind: CheckKind
    name: str
    url: str
    interval_seconds: int | None
    enabled: bool
    version: int
    settings: CheckSettings
    secret_names: tuple[str, ...] = ()
    tried: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """A check that must be looked at: its row of the watch, and what the prober is told."""

    check_id: int
    page_id: int
    kind: CheckKind
    body_id: int
    name: str
    url: str
    state: State
    terms: Terms
    target: ProbeTarget


def checks_of(by: Principal, page_id: int) -> list[CheckView]:
    """Return the checks of a page, the main one first, then its health check, then by name.

    Raises:
        NotFound: no such page in the scope of ``by``.
    """
    page = mobile_access.get(by, page_id)
    rows = {row.id: row for row in db.session().scalars(_of_page(page_id))}
    main = rows.pop(page_id, None)
    others = sorted(rows.values(), key=lambda row: (row.kind is not CheckKind.HEALTH, row.name, row.id))
    return [_view(main, page) if main else _unset(page), *(_view(row, page) for row in others)]


def get_check(by: Principal, check_id: int) -> CheckView:
    """Return one check; a page's id stands for its main one.

    Raises:
        NotFound: no such check in the scope of ``by``.
    """
    row = db.session().get(PageCheck, check_id)
    try:
        page = mobile_access.get(by, row.page_id if row else check_id)
    except NotFound:
        raise NotFound("没有这项探测") from None
    return _view(row, page) if row else _unset(page)


def may_change(by: Principal, check: CheckView) -> bool:
    """Tell whether ``by`` may set the check up: whoever registers or reviews pages of the body."""
    return any(
        organisations.covers(by, permission, check.body_id)
        for permission in (Permission.PAGES_REGISTER, Permission.PAGES_REVIEW)
    )


def add_check(by: Principal, page_id: int, draft: Draft, policy: Policy, *, now: datetime) -> CheckView:
    """Add a check to a page.

    Raises:
        NotFound: no such page that ``by`` may change.
        Invalid: something of the draft is wrong.
        TooManyChecks: the page has as many as it may.
    """
    page = _changeable(by, get_check(by, page_id))
    if draft.kind not in ADDABLE:
        raise Invalid(
            fields={"kind": ["可以添加的是：" + "、".join(CHECK_KIND_LABELS[one] for one in ADDABLE)]}
        )
    wanted = validated(draft, policy)
    extra = select(func.count()).select_from(PageCheck)
    extra = extra.where(PageCheck.page_id == page_id, PageCheck.kind.in_(ADDABLE))
    if (db.writing().scalar(extra) or 0) >= CHECKS_MOST:
        raise TooManyChecks
    row = PageCheck(
        page_id=page_id,
        kind=wanted.kind,
        name=wanted.name,
        url=wanted.url or page.url,
        settings=wanted.settings.to_dict(),
        secrets_token=_seal(wanted.secrets) if wanted.secrets else None,
        interval_seconds=wanted.interval_seconds,
        enabled=wanted.enabled,
        version=FIRST_VERSION,
        created_at=now,
        created_by=by.actor,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(by.actor, "page_check.add", OBJECT, row.id, _told(row))
    return get_check(by, row.id)


def change_check(
    by: Principal, check_id: int, draft: Draft, policy: Policy, *, version: int, now: datetime
) -> CheckView:
    """Set a check up anew; its kind stays.

    Raises:
        NotFound: no such check that ``by`` may change.
        Invalid: something of the draft is wrong, or the check is made by itself and has no such setting.
        Stale: somebody else changed it first.
    """
    held = _changeable(by, get_check(by, check_id))
    wanted = validated(_of_kind(draft, held), policy, kept_secrets=frozenset(held.secret_names))
    if version != held.version:
        raise Stale
    row = _row(held, by.actor, now)
    if row.version != max(version, FIRST_VERSION):
        raise Stale
    row.name, row.url = wanted.name or row.name, wanted.url or row.url
    row.settings, row.interval_seconds = wanted.settings.to_dict(), wanted.interval_seconds
    row.secrets_token = _resealed(row, wanted.secrets)
    row.enabled, row.version = wanted.enabled, row.version + 1
    db.writing().flush()
    audit.record(by.actor, "page_check.change", OBJECT, row.id, _told(row))
    return get_check(by, row.id)


def remove_check(by: Principal, check_id: int, *, version: int) -> None:
    """Remove a check that staff added; what was seen of it stays.

    Raises:
        NotFound: no such check that ``by`` may change.
        Invalid: it is made by itself.
        Stale: somebody else changed it first.
    """
    held = _changeable(by, get_check(by, check_id))
    if held.kind not in ADDABLE:
        raise Invalid("网页自带的探测不能删除")
    row = db.writing().get_one(PageCheck, check_id, with_for_update=True)
    if row.version != version:
        raise Stale
    audit.record(by.actor, "page_check.remove", OBJECT, row.id, _told(row))
    if row.secrets_token:
        vault.forget(row.secrets_token)
    db.writing().delete(row)
    db.writing().flush()


def ask_try(by: Principal, check_id: int, *, now: datetime) -> None:
    """Ask for one look now; what it finds is told in ``tried``.

    Raises:
        NotFound: no such check that ``by`` may change.
    """
    row = _row(_changeable(by, get_check(by, check_id)), by.actor, now)
    row.tried = {"asked_at": now.isoformat(), "asked_by": by.actor}
    outbox.enqueue(TRY_JOB, {"check_id": str(row.id), "asked_at": now.isoformat()})
    audit.record(by.actor, "page_check.try", OBJECT, row.id)
    db.writing().flush()


def note_tried(check_id: int, asked_at: str, found: Mapping[str, Any]) -> None:
    """Keep what a try-out found, unless another was asked for meanwhile."""
    row = db.writing().get(PageCheck, check_id)
    if row is None or (row.tried or {}).get("asked_at") != asked_at:
        return
    row.tried = {**(row.tried or {}), **found}
    db.writing().flush()


def target_of(check_id: int, book: TermsBook) -> ProbeTarget | None:
    """Return what a look at the check would be now; None when it is gone or its page is not online."""
    row = db.session().get(PageCheck, check_id)
    page_id = row.page_id if row else check_id
    page = next((one for one in mobile_access.watched_pages() if one.id == page_id), None)
    return _target_of(row, page, book).target if row and page else None


def stamp() -> tuple[int, int]:
    """Return what changes whenever a check does; one cheap reading."""
    count, versions = db.session().execute(select(func.count(), func.sum(PageCheck.version))).one()
    return int(count), int(versions or 0)


def health_differs(pages: Sequence[WatchedPage]) -> bool:
    """Tell whether :func:`keep_health_checks` would change anything."""
    query = select(PageCheck.page_id, PageCheck.url, PageCheck.enabled)
    held = {row.page_id: row for row in db.session().execute(query.where(PageCheck.kind == CheckKind.HEALTH))}
    declared = {page.id: page.health_url for page in pages if page.health_url}
    on = {page_id: row.url for page_id, row in held.items() if row.enabled}
    return on != declared


def keep_health_checks(pages: Sequence[WatchedPage], *, now: datetime) -> None:
    """Make a health check for every declared health address; switch those off that are declared no more."""
    query = select(PageCheck).where(PageCheck.kind == CheckKind.HEALTH)
    held = {row.page_id: row for row in db.writing().scalars(query.with_for_update())}
    declared = {page.id: page.health_url for page in pages if page.health_url}
    for page_id, url in declared.items():
        row = held.get(page_id)
        if row is None:
            db.writing().add(_automatic(new_id(), page_id, CheckKind.HEALTH, url or "", SYSTEM, now))
        elif not row.enabled or row.url != url:
            row.enabled, row.url, row.version = True, url or "", row.version + 1
    for page_id, row in held.items():
        if row.enabled and page_id not in declared:
            row.enabled, row.version = False, row.version + 1
    db.writing().flush()


def targets(pages: Sequence[WatchedPage], book: TermsBook) -> list[CheckTarget]:
    """Return every check that must be looked at: each page's main one and what is set up besides."""
    rows: dict[int, list[PageCheck]] = {}
    for row in db.session().scalars(select(PageCheck)):
        rows.setdefault(row.page_id, []).append(row)
    return [one for page in pages for one in _targets_of_page(page, rows.get(page.id, ()), book)]


def _targets_of_page(page: WatchedPage, rows: Sequence[PageCheck], book: TermsBook) -> list[CheckTarget]:
    main = next((row for row in rows if row.id == page.id), None)
    wanted = [row for row in rows if row.enabled and row.id != page.id]
    return [_target_of(main, page, book), *(_target_of(row, page, book) for row in wanted)]


def _target_of(row: PageCheck | None, page: WatchedPage, book: TermsBook) -> CheckTarget:
    kind = row.kind if row else CheckKind.PAGE
    interval = row.interval_seconds if row else None
    if kind is CheckKind.RENDERED:
        interval = interval or RENDERED_USUAL
    terms = book.of(page.body_id, interval)
    url = page.url if row is None or kind in (CheckKind.PAGE, CheckKind.RENDERED) else row.url
    name = page.name if row is None or kind is CheckKind.PAGE else f"{page.name} · {row.name}"
    return CheckTarget(
        check_id=row.id if row else page.id,
        page_id=page.id,
        kind=kind,
        body_id=page.body_id,
        name=name[:NAME_MAX],
        url=url,
        state=page.state,
        terms=terms,
        target=_probe_target(row, page, url, terms),
    )


def _probe_target(row: PageCheck | None, page: WatchedPage, url: str, terms: Terms) -> ProbeTarget:
    settings = CheckSettings.from_dict(row.settings) if row else CheckSettings()
    same: dict[str, Any] = {
        "id": str(row.id if row else page.id),
        "url": url,
        "interval_seconds": terms.interval_seconds,
        "timeout_seconds": terms.timeout_seconds,
        "slow_ms": terms.slow_ms,
    }
    content: dict[str, Any] = {
        "must_contain": settings.must_contain,
        "must_not_contain": settings.must_not_contain,
    }
    match row.kind if row else CheckKind.PAGE:
        case CheckKind.PAGE:
            return ProbeTarget(**same, **content, expected_title=settings.expected_title)
        case CheckKind.HEALTH:
            return ProbeTarget(**{**same, "slow_ms": min(HEALTH_SLOW_MS, terms.slow_ms)})
        case CheckKind.RENDERED:
            return RenderedTarget(**same, **content)
        case kind:
            assert row is not None
            steps = steps_of(kind, row.name, row.url, settings)
            if kind is CheckKind.TASK:
                longest = min(terms.timeout_seconds * _TASK_SECONDS, terms.interval_seconds / 2)
                same["timeout_seconds"] = max(longest, terms.timeout_seconds)
                same["slow_ms"] = terms.slow_ms * len(steps)
            return TaskTarget(**same, steps=steps, secrets=_unsealed(row) if secrets_of(steps) else {})


def _of_page(page_id: int) -> Any:
    return select(PageCheck).where(PageCheck.page_id == page_id)


def _changeable(by: Principal, check: CheckView) -> CheckView:
    if not may_change(by, check):
        raise NotFound("没有这项探测")
    return check


def _of_kind(draft: Draft, held: CheckView) -> Draft:
    if draft.kind is not held.kind:
        raise Invalid(fields={"kind": ["探测的种类不能改，请另外添加"]})
    if held.kind in (CheckKind.PAGE, CheckKind.HEALTH) and not draft.enabled:
        raise Invalid(fields={"enabled": ["网页自带的探测不能停用；暂停监测请登记维护"]})
    return draft


def _row(check: CheckView, actor: str, now: datetime) -> PageCheck:
    """Return the check's row, locked; a main check gets its row now."""
    query = select(PageCheck).where(PageCheck.id == check.id).with_for_update()
    row = db.writing().scalar(query.execution_options(populate_existing=True))
    if row is None:
        row = _automatic(check.id, check.page_id, CheckKind.PAGE, check.url, actor, now)
        db.writing().add(row)
        db.writing().flush()
    return row


def _automatic(
    check_id: int, page_id: int, kind: CheckKind, url: str, actor: str, now: datetime
) -> PageCheck:
    return PageCheck(
        id=check_id,
        page_id=page_id,
        kind=kind,
        name=CHECK_KIND_LABELS[kind],
        url=url,
        settings=CheckSettings().to_dict(),
        secrets_token=None,
        interval_seconds=None,
        enabled=True,
        version=FIRST_VERSION,
        created_at=now,
        created_by=actor,
    )


def _seal(secrets: Mapping[str, str]) -> str:
    return vault.seal(SECRETS_FIELD, json.dumps(dict(secrets), ensure_ascii=False))


def _resealed(row: PageCheck, secrets: Mapping[str, str] | None) -> str | None:
    if secrets is None:
        return row.secrets_token
    if row.secrets_token:
        vault.forget(row.secrets_token)
    return _seal(secrets) if secrets else None


def _unsealed(row: PageCheck) -> Mapping[str, str]:
    if row.secrets_token is None:
        return {}
    found: dict[str, str] = json.loads(vault.unseal(SECRETS_FIELD, row.secrets_token))
    return found


def _told(row: PageCheck) -> dict[str, Any]:
    """Return what the audit trail keeps: what was set up, never a credential."""
    return {
        "page_id": str(row.page_id),
        "kind": row.kind.value,
        "name": row.name,
        "url": row.url,
        "interval_seconds": row.interval_seconds,
        "enabled": row.enabled,
        "settings": {name: value for name, value in row.settings.items() if value},
        "with_secrets": row.secrets_token is not None,
    }


def _view(row: PageCheck, page: PageView) -> CheckView:
    settings = CheckSettings.from_dict(row.settings)
    return CheckView(
        id=row.id,
        page_id=row.page_id,
        body_id=page.body_id,
        page_name=page.name,
        kind=row.kind,
        name=row.name,
        url=page.url if row.kind in (CheckKind.PAGE, CheckKind.RENDERED) else row.url,
        interval_seconds=row.interval_seconds,
        enabled=row.enabled,
        version=row.version,
        settings=settings,
        secret_names=tuple(sorted(_unsealed(row))),
        tried=row.tried,
    )


def _unset(page: PageView) -> CheckView:
    return CheckView(
        id=page.id,
        page_id=page.id,
        body_id=page.body_id,
        page_name=page.name,
        kind=CheckKind.PAGE,
        name=CHECK_KIND_LABELS[CheckKind.PAGE],
        url=page.url,
        interval_seconds=None,
        enabled=True,
        version=0,
        settings=CheckSettings(),
    )
