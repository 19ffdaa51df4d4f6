"""Versions of the access spec: which one holds, and publishing the next."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core import audit, clock, db, outbox
from app.core.errors import Conflict, Invalid
from app.mobile_access.domain import CHANGELOG_MAX, GRACE_DAYS_MAX, SPEC_VERSION_MAX
from app.mobile_access.models import SpecVersion
from app.mobile_access.shapes import SpecView
from config.access_spec import load_clauses
from config.access_spec.versions import PinchZoom, VersionRow, load_versions
from mobile_pages.spec.engine import load_rules

OBJECT = "spec_version"
REJUDGE_JOB = "mobile_access.rejudge-pages"
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}")


class VersionTaken(Conflict):
    """The version is there already, or a later one is."""

    code = "version_taken"
    title = "版本号必须大于已发布的版本"
    title_en = "The version must be later than those published"


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What is published."""

    version: str
    effective_on: date
    grace_days: int
    pinch_zoom: PinchZoom
    changelog: str


def versions() -> list[SpecView]:
    """Return every published version, the newest first."""
    rows = db.session().scalars(select(SpecVersion))
    return sorted((_view(row) for row in rows), key=lambda one: _number(one.version), reverse=True)


def spec_in_force(*, today: date) -> SpecView:
    """Return the version that pages are judged by on ``today``.

    Before any was imported it is the latest of those that come with the release.
    """
    known = versions() or [_unpublished(row) for row in reversed(load_versions())]
    return next((one for one in known if one.effective_on <= today), known[-1])


def import_versions(rows: Iterable[VersionRow], *, now: datetime) -> int:
    """Add the versions that are not there yet; return how many. They judge nothing again."""
    known = {one.version for one in versions()}
    fresh = [row for row in rows if row.version not in known]
    for row in fresh:
        new = NewVersion(row.version, row.effective_on, row.grace_days, row.pinch_zoom, row.changelog)
        added = _add(new, actor="system", source=row.source, now=now)
        added.applied_at = now
    db.writing().flush()
    return len(fresh)


def publish_version(new: NewVersion, *, actor: str, now: datetime) -> SpecView:
    """Publish a version. On the day it takes effect every page is judged again, without a visit.

    Whoever calls this has asked whether ``actor`` may.

    Raises:
        Invalid: a part of it breaks a rule; ``fields`` says which.
        VersionTaken: it is not later than every published one.
    """
    _demand_sound(new, today=clock.day_of(now))
    if any(_number(one.version) >= _number(new.version) for one in versions()):
        raise VersionTaken
    try:
        with db.writing().begin_nested():
            row = _add(new, actor=actor, source="", now=now)
            db.writing().flush()
    except IntegrityError:
        raise VersionTaken from None
    if new.effective_on <= clock.day_of(now):
        _apply(row, now)
    return _view(row)


def apply_due_version(*, now: datetime) -> str | None:
    """Begin to judge by a version whose day has come; return it, None when there is none. Safe to repeat."""
    due = [
        row
        for row in db.writing().scalars(select(SpecVersion).where(SpecVersion.applied_at.is_(None)))
        if row.effective_on <= clock.day_of(now)
    ]
    if not due:
        return None
    for row in due:
        row.applied_at = now
    newest = max(due, key=lambda row: _number(row.version))
    _apply(newest, now)
    return newest.version


def rules_digest(pinch_zoom: PinchZoom) -> str:
    """Return the SHA-256 over the table of rules, since when each holds, and the switch."""
    since = {one.rule.code: one.rule.since for one in load_rules().values()}
    table = [[*asdict(clause).values(), since.get(code, "")] for code, clause in load_clauses().items()]
    text = json.dumps([table, pinch_zoom.value], ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _apply(row: SpecVersion, now: datetime) -> None:
    row.applied_at = now
    payload = {"version": row.version, "after": "0"}
    outbox.enqueue(REJUDGE_JOB, payload, dedup_key=f"{REJUDGE_JOB}:{row.version}:0")


def _add(new: NewVersion, *, actor: str, source: str, now: datetime) -> SpecVersion:
    row = SpecVersion(
        version=new.version,
        effective_on=new.effective_on,
        published_at=now,
        published_by=actor,
        changelog=new.changelog,
        grace_days=new.grace_days,
        pinch_zoom=new.pinch_zoom,
        digest=rules_digest(new.pinch_zoom),
        source=source,
        applied_at=None,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(actor, "spec_version.publish", OBJECT, row.id, {"version": new.version})
    return row


def _demand_sound(new: NewVersion, *, today: date) -> None:
    problems: dict[str, list[str]] = {}
    if not _VERSION.fullmatch(new.version) or len(new.version) > SPEC_VERSION_MAX:
        problems["version"] = ["应为 2 或 2.1 这样的数字"]
    if new.effective_on < today:
        problems["effective_on"] = ["不能早于今天"]
    if not 0 <= new.grace_days <= GRACE_DAYS_MAX:
        problems["grace_days"] = [f"应为 0 至 {GRACE_DAYS_MAX} 天"]
    if not 1 <= len(new.changelog.strip()) <= CHANGELOG_MAX:
        problems["changelog"] = [f"请写明变化，不超过 {CHANGELOG_MAX} 字"]
    if problems:
        raise Invalid(fields=problems)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _unpublished(row: VersionRow) -> SpecView:
    return SpecView(row.version, row.effective_on, row.grace_days, row.pinch_zoom, row.changelog)


def _view(row: SpecVersion) -> SpecView:
    return SpecView(
        version=row.version,
        effective_on=row.effective_on,
        grace_days=row.grace_days,
        pinch_zoom=row.pinch_zoom,
        changelog=row.changelog,
        published_by=row.published_by,
        published_at=row.published_at,
        digest=row.digest,
        applied_at=row.applied_at,
    )
