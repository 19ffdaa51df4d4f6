"""Drafts of theme applications: begun on one device, saved field by field, submitted once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from app.applications.service import AnswersRefused, Channel
from app.catalogue import service as catalogue
from app.core import audit, db
from app.core.clock import day_of
from app.core.errors import Conflict, LevelTooLow, NotFound
from app.identity import service as identity
from app.themes import made as making
from app.themes import moving, projecting, sealing
from app.themes.domain import (
    ENDED,
    Event,
    MoveNotAllowed,
    State,
    ThemeChanged,
    ThemeClosed,
    Who,
)
from app.themes.made import Made, made_of
from app.themes.merging import Merged, MergedSlot
from app.themes.models import ThemeApplication, ThemeVersion
from app.themes.reading import Guide, guide

T = TypeVar("T")

DRAFTS_MAX = 10
DRAFT_DAYS = 60
"""A draft that nobody saved for so many days is given up, and what was typed is forgotten."""


@dataclass(frozen=True, slots=True)
class Started:
    """What beginning led to; ``open_number``: the same theme is under way already, ``""`` for not."""

    id: int
    continued: bool
    open_number: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving led to.

    Attributes:
        cleared: questions whose answers were dropped because they are not asked any more.
        problems: per question and material, what still keeps the draft from being submitted.
        theme_changed: the draft now follows newer versions of the theme or of its items.
    """

    version: int
    cleared: list[str]
    problems: Mapping[str, list[str]]
    theme_changed: bool


def start(
    resident_id: int,
    theme_id: int,
    region_code: str | None,
    *,
    left_out: Collection[str] = (),
    fresh: bool = False,
    channel: Channel,
    now: datetime,
) -> Started:
    """Begin to apply for a theme in one place, or go on with the draft there is.

    Args:
        left_out: optional items that one does not want.
        fresh: give the old draft up and begin anew.

    Raises:
        NotFound: no such theme.
        Invalid: no such region.
        ThemeClosed: nothing of it can be applied for there.
        Conflict: too many drafts lie about.
    """
    found = guide(theme_id, region_code, left_out=left_out)
    merged = _open(found)
    under_way = _under_way(resident_id, theme_id)
    former = draft_of(resident_id, theme_id, found.placed.region.code)
    if former is not None and not fresh:
        return Started(former, True, under_way)
    if former is not None:
        discard(resident_id, former, now=now)
    if _draft_count(resident_id) >= DRAFTS_MAX:
        raise Conflict(f"主题草稿已有 {DRAFTS_MAX} 份，请先办完或放弃一些")
    row = ThemeApplication(
        resident_id=resident_id,
        version_id=found.version_id,
        merge_id=making.keep(found, merged, now),
        region_code=found.placed.region.code,
        left_out=_left_out(found, left_out),
        state=State.DRAFT,
        version=1,
        channel=channel,
        answers={},
        sealed={},
        materials={},
        event_count=0,
        extension_days=0,
        extension_reason="",
        created_at=now,
        saved_at=now,
        expires_on=day_of(now) + timedelta(days=DRAFT_DAYS),
    )
    row.materials = making.only_ways(made_of(row).slots({}))
    db.writing().add(row)
    db.writing().flush()
    audit.record(
        identity.actor_of(resident_id), "theme.start", "theme_application", row.id, {"theme": str(theme_id)}
    )
    return Started(row.id, False, under_way)


def _open(found: Guide) -> Merged:
    if found.merged is None:
        raise ThemeClosed
    return found.merged


def _left_out(found: Guide, wanted: Collection[str]) -> list[str]:
    return [one.code for one in found.definition.items if one.optional and one.code in wanted]


def draft_of(resident_id: int, theme_id: int, region_code: str) -> int | None:
    """Return the id of somebody's newest draft for a theme in a place, None when there is none."""
    query = (
        _own(resident_id, ThemeApplication.id)
        .join(ThemeVersion, ThemeVersion.id == ThemeApplication.version_id)
        .where(
            ThemeApplication.state == State.DRAFT,
            ThemeApplication.region_code == region_code,
            ThemeVersion.theme_id == theme_id,
        )
        .order_by(ThemeApplication.created_at.desc())
    )
    return db.session().scalar(query.limit(1))


def _own(resident_id: int, column: InstrumentedAttribute[T]) -> Select[T]:
    return select(column).where(ThemeApplication.resident_id.in_(identity.accounts_of(resident_id)))


def _draft_count(resident_id: int) -> int:
    drafts = _own(resident_id, ThemeApplication.id).where(ThemeApplication.state == State.DRAFT)
    return len(list(db.session().scalars(drafts.limit(DRAFTS_MAX))))


def _under_way(resident_id: int, theme_id: int) -> str:
    query = (
        _own(resident_id, ThemeApplication.number)
        .join(ThemeVersion, ThemeVersion.id == ThemeApplication.version_id)
        .where(
            ThemeApplication.state.not_in((State.DRAFT, *ENDED)),
            ThemeVersion.theme_id == theme_id,
        )
    )
    return db.session().scalar(query.limit(1)) or ""


def save(
    resident_id: int,
    theme_application_id: int,
    changes: Mapping[str, Any],
    *,
    materials: Mapping[str, str | None] | None = None,
    version: int,
    now: datetime,
) -> Saved:
    """Save some answers of a draft; None takes one away. A draft follows the theme and its items.

    Raises:
        NotFound: not theirs.
        MoveNotAllowed: it is submitted already.
        Stale: another device saved meanwhile.
        ThemeClosed: the theme is not open in that place any more.
        AnswersRefused: an answer cannot be kept: unknown or hidden question, wrong kind, too long.
    """
    row = _draft(resident_id, theme_application_id)
    moving.check_version(row, version)
    former, materials = made_of(row), materials or {}
    changed, cleared = _follow_items(row, now)
    made = made_of(row)
    if changed:
        # Who sent this could not know: what is not asked any more must not keep the rest from being saved.
        changes, needless = catalogue.still_asked(former.merged.form, made.merged.form, row.answers, changes)
        cleared += needless
    cleared += _put(row, made, changes)
    slots = made.slots(row.answers)
    if changed:
        ways = {(one.code, way) for one in slots for way in one.handings}
        materials = {code: way for code, way in materials.items() if way is None or (code, way) in ways}
    row.materials = _chosen(slots, row.materials, materials)
    row.version += 1
    row.saved_at = now
    row.expires_on = day_of(now) + timedelta(days=DRAFT_DAYS)
    db.writing().flush()
    return Saved(row.version, list(dict.fromkeys(cleared)), problems_of(row, made, now), changed)


def _put(row: ThemeApplication, made: Made, changes: Mapping[str, Any]) -> list[str]:
    form = made.merged.form
    wanted = {name: catalogue.normalised(form, name, value) for name, value in changes.items()}
    refused = catalogue.shape_problems(form, wanted)
    if refused:
        raise AnswersRefused(fields=refused)
    for name, value in wanted.items():
        sealing.put(row, form, name, value)
    visible = catalogue.visible_fields(form, row.answers)
    hidden = [name for name in (*row.answers, *row.sealed) if name not in visible]
    in_vain = {name: ["这一项不需要填写"] for name in hidden if wanted.get(name) is not None}
    if in_vain:
        raise AnswersRefused(fields=in_vain)
    for name in hidden:
        sealing.drop(row, name)
    return hidden


def _chosen(
    slots: list[MergedSlot], before: Mapping[str, str], changes: Mapping[str, str | None]
) -> dict[str, str]:
    ways = {one.code: one.handings for one in slots}
    faults = {
        f"materials.{code}": ["这份材料不能这样提交"]
        for code, way in changes.items()
        if way is not None and way not in ways.get(code, ())
    }
    if faults:
        raise AnswersRefused(fields=faults)
    merged = {**making.only_ways(slots), **before, **changes}
    return {code: way for code, way in merged.items() if way in ways.get(code, ())}


def _draft(resident_id: int, theme_application_id: int) -> ThemeApplication:
    row = moving.mine_locked(resident_id, theme_application_id)
    if row.state is not State.DRAFT:
        raise MoveNotAllowed("已经提交，不能再改")
    return row


def _follow_items(row: ThemeApplication, now: datetime) -> tuple[bool, list[str]]:
    """Move a draft to the theme and the items in force; return whether, and what was dropped."""
    before = made_of(row)
    current = _in_force(before, row)
    merged = _open(current)
    merge_id = making.keep(current, merged, now)
    if merge_id == row.merge_id:
        return False, []
    was = before.merged.form["schema"]["properties"]
    becomes = merged.form["schema"]["properties"]
    lost = [name for name in (*row.answers, *row.sealed) if was.get(name) != becomes.get(name)]
    for name in lost:
        sealing.drop(row, name)
    row.version_id, row.merge_id = current.version_id, merge_id
    row.materials = {}
    return True, lost


def _in_force(made: Made, row: ThemeApplication) -> Guide:
    """Return the theme as it is done now where the draft was begun.

    Raises:
        ThemeClosed: it is not in use any more.
    """
    try:
        return guide(made.theme_id, row.region_code, left_out=row.left_out)
    except NotFound:
        raise ThemeClosed("这个主题已经停用，可以分别申请各个事项") from None


def problems_of(row: ThemeApplication, made: Made, now: datetime) -> dict[str, list[str]]:
    """Return, per question and material, what keeps a draft from being submitted."""
    answers = sealing.opened(row, made.merged.form)
    found = projecting.problems(made.merged, made.forms, answers, day_of(now))
    return {**found, **making.missing(made.slots(row.answers), row.materials)}


def check_submittable(
    resident_id: int, theme_application_id: int, *, version: int, level: int, now: datetime
) -> tuple[ThemeApplication, Made]:
    """Return a draft, locked, that may be submitted as it is.

    Raises:
        NotFound: not theirs.
        MoveNotAllowed: it is submitted already.
        Stale: another device saved meanwhile.
        ThemeChanged: the theme or an item has a newer version; save once to see what changed.
        ThemeClosed: it is not open in that place any more.
        LevelTooLow: one of the items demands a higher level (实名等级).
        AnswersRefused: the answers do not fit the form.
    """
    row = _draft(resident_id, theme_application_id)
    moving.check_version(row, version)
    made = made_of(row)
    current = _in_force(made, row)
    _open(current)
    kept = {code: str(view.version_id) for code, view in made.views.items()}
    if current.version_id != row.version_id or current.placed.versions() != kept:
        raise ThemeChanged
    if level < current.level:
        raise LevelTooLow(current.level)
    faults = problems_of(row, made, now)
    if faults:
        raise AnswersRefused(fields=faults)
    return row, made


def discard(resident_id: int, theme_application_id: int, *, now: datetime) -> None:
    """Give a draft up; its answers are forgotten at once.

    Raises:
        NotFound: not theirs.
        MoveNotAllowed: it is submitted already.
    """
    give_up(_draft(resident_id, theme_application_id), identity.actor_of(resident_id), now)


def give_up(row: ThemeApplication, actor: str, now: datetime) -> None:
    """End a draft and forget what was typed."""
    sealing.forget_personal(row)
    row.answers, row.expires_on = {}, None
    moving.make_move(row, Event.DISCARD, Who.RESIDENT, actor=actor, now=now)


def expired_drafts(today: date, *, limit: int = 200) -> list[int]:
    """Return drafts that nobody saved for long."""
    query = select(ThemeApplication.id).where(ThemeApplication.expires_on < today).limit(limit)
    return list(db.session().scalars(query))


def forget_resident(resident_id: int, *, now: datetime) -> None:
    """Give up the drafts of a closed account; a person who has another one merged with it goes on there."""
    accounts = identity.accounts_of(resident_id)
    if any(identity.is_open(one) for one in accounts):
        return
    query = select(ThemeApplication.id).where(
        ThemeApplication.resident_id.in_(accounts), ThemeApplication.state == State.DRAFT
    )
    for theme_application_id in list(db.writing().scalars(query)):
        row = moving.locked(theme_application_id)
        if row.state is State.DRAFT:
            give_up(row, moving.SYSTEM, now)


def forget_draft(theme_application_id: int, *, now: datetime) -> None:
    """Give a draft up in its owner's place, unless it was saved or submitted meanwhile."""
    row = moving.locked(theme_application_id)
    if row.state is State.DRAFT and row.expires_on is not None and row.expires_on < day_of(now):
        give_up(row, moving.SYSTEM, now)
