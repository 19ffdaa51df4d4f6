"""Drafts: begun on one device, saved field by field, gone on with on another, submitted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.applications import attachments, moving, sealing
from app.applications import materials as handed
from app.applications.domain import (
    DRAFT_DAYS,
    DRAFTS_MAX,
    OPEN,
    AnswersRefused,
    Channel,
    Event,
    ItemClosed,
    MoveNotAllowed,
    State,
    Who,
)
from app.applications.models import Application
from app.applications.own import actor_of
from app.applications.parties import ENTERPRISE, party_locked, party_row, principal_for
from app.applications.views import form_of
from app.catalogue import service as catalogue
from app.catalogue.service import Form, Handing, ItemView, Material
from app.core import audit, db
from app.core.clock import day_of
from app.core.errors import Conflict
from app.identity import service as identity
from app.identity.service import Principal
from app.organisations import service as organisations


@dataclass(frozen=True, slots=True)
class Started:
    """What beginning an application led to.

    Attributes:
        continued: an old draft is gone on with.
        open_number: a case about the same item that is under way already; ``""`` for none.
    """

    id: int
    continued: bool
    open_number: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving led to.

    Attributes:
        cleared: fields whose answers were dropped because they are not asked for any more.
        problems: per visible field, what still keeps the draft from being submitted.
        item_changed: the draft now follows a newer version of the item.
    """

    version: int
    cleared: list[str]
    problems: Mapping[str, list[str]]
    item_changed: bool


def start_draft(
    resident_id: int,
    item_id: int,
    *,
    on_behalf_of: int | None = None,
    variant: str = "",
    fresh: bool = False,
    beside: bool = False,
    channel: Channel,
    now: datetime,
) -> Started:
    """Begin an application for an item, or go on with the draft there is.

    Args:
        on_behalf_of: the delegation under which somebody else applies; None for oneself.
        variant: 情形 in which one applies, where one knows it already.
        fresh: discard the old draft and begin anew.
        beside: leave the old draft alone and begin another.

    Raises:
        NotFound: no such item.
        ItemClosed: it cannot be applied for here now.
        Forbidden: the delegation is not theirs, not in force, or does not cover the item.
        Invalid: the item has no such variant.
        Conflict: too many drafts lie about.
    """
    item = open_item(item_id)
    principal = None
    if on_behalf_of is not None:
        principal = principal_for(resident_id, on_behalf_of, item.directory_id, on=day_of(now))
    under_way = _open_number(resident_id, item_id) if principal is None else ""
    former = None if beside else draft_of(resident_id, item_id, on_behalf_of=on_behalf_of)
    if former is not None and not fresh:
        return Started(former, True, under_way)
    if former is not None:
        discard(resident_id, former, now=now)
    if _draft_count(resident_id) >= DRAFTS_MAX:
        raise Conflict(f"草稿已有 {DRAFTS_MAX} 份，请先办完或放弃一些")
    row = new_row(resident_id, item, principal, variant=variant, channel=channel, now=now)
    return Started(row.id, False, under_way)


def new_row(
    resident_id: int,
    item: ItemView,
    principal: Principal | None,
    *,
    variant: str,
    channel: Channel,
    now: datetime,
) -> Application:
    """Return a new draft; ``principal`` is for whom ``resident_id`` acts.

    Raises:
        Invalid: the item has no such variant.
    """
    needed = catalogue.materials_for(item.content, variant)
    place = organisations.places([item.body_id]).get(item.body_id)
    for_person = principal is not None and principal.kind != ENTERPRISE
    row = Application(
        resident_id=principal.id if principal is not None and for_person else resident_id,
        agent_id=resident_id if principal is not None else None,
        delegation_id=principal.delegation_id if principal is not None else None,
        enterprise_id=principal.id if principal is not None and not for_person else None,
        implementation_id=item.id,
        item_version_id=item.version_id,
        form_version_id=item.version_id,
        body_id=item.body_id,
        region_code=item.region_code,
        city_code=place.city_code if place else None,
        state=State.DRAFT,
        version=1,
        channel=channel,
        answers={},
        sealed={},
        materials=handed.only_ways(needed),
        files={},
        sources={},
        variant=variant,
        code_issue=0,
        event_count=0,
        step=0,
        extension_days=0,
        pauses=[],
        reason="",
        remedy="",
        created_at=now,
        saved_at=now,
        expires_on=day_of(now) + timedelta(days=DRAFT_DAYS),
    )
    db.writing().add(row)
    db.writing().flush()
    detail = {"item": str(item.id)}
    if principal is not None:
        detail |= {"for": f"{principal.kind}:{principal.id}", "delegation": str(principal.delegation_id)}
    audit.record(actor_of(resident_id), "application.start", "application", row.id, detail)
    return row


def draft_of(resident_id: int, item_id: int, *, on_behalf_of: int | None = None) -> int | None:
    """Return the id of the newest draft of somebody for an item, None when there is none.

    Args:
        on_behalf_of: of the drafts made under this delegation; None for one's own.
    """
    mine = (
        Application.resident_id.in_(identity.accounts_of(resident_id)) & Application.agent_id.is_(None)
        if on_behalf_of is None
        else (Application.agent_id == resident_id) & (Application.delegation_id == on_behalf_of)
    )
    query = (
        select(Application.id)
        .where(mine, Application.implementation_id == item_id, Application.state == State.DRAFT)
        .order_by(Application.created_at.desc())
        .limit(1)
    )
    return db.session().scalar(query)


def _open_number(resident_id: int, item_id: int) -> str:
    query = select(Application.number).where(
        Application.resident_id.in_(identity.accounts_of(resident_id)),
        Application.enterprise_id.is_(None),
        Application.implementation_id == item_id,
        Application.state.in_(OPEN),
    )
    return db.session().scalar(query.limit(1)) or ""


def _draft_count(resident_id: int) -> int:
    own = func.coalesce(Application.agent_id, Application.resident_id) == resident_id
    by_either = (Application.resident_id == resident_id) | (Application.agent_id == resident_id)
    return (
        db.session().scalar(select(func.count()).where(by_either, own, Application.state == State.DRAFT)) or 0
    )


def open_item(item_id: int) -> ItemView:
    """Return an item that can be applied for.

    Raises:
        NotFound: no such item.
        ItemClosed: it cannot be applied for here now.
    """
    item = catalogue.item(item_id)
    if not item.open:
        raise ItemClosed
    return item


def save_draft(
    resident_id: int,
    application_id: int,
    changes: Mapping[str, Any],
    *,
    materials: Mapping[str, str | None] | None = None,
    variant: str | None = None,
    version: int,
    now: datetime,
) -> Saved:
    """Save some answers of a draft; None takes one away.

    Half-typed answers are kept and named in ``problems``. A draft for an older version of the item
    moves to the one in force, with the answers that still have a field there; what a page of the older
    version sent besides is named in ``cleared``.

    Args:
        materials: by code, how a material is handed in; None takes the choice away.
        variant: 情形 that the applicant chooses; None leaves it as it is. What the answers say goes first.

    Raises:
        NotFound: not theirs.
        MoveNotAllowed: it is submitted already.
        Stale: another device saved meanwhile.
        AnswersRefused: an answer cannot be kept: unknown or hidden field, wrong kind, too long.
        Invalid: the item has no such variant.
    """
    row = draft_locked(resident_id, application_id, now=now)
    moving.check_version(row, version)
    former = form_of(row)
    item_changed, cleared = _follow_item(row)
    item = catalogue.version(row.item_version_id)
    form, materials = form_of(row), materials or {}
    if item_changed:
        # Who sent this could not know: what is not asked any more must not keep the rest from being saved.
        changes, needless = catalogue.still_asked(former, form, row.answers, changes)
        cleared += needless
        variant = variant if variant in {"", *(one.code for one in item.content.variants)} else None
    cleared += put_answers(row, form, changes)
    choose_variant(row, item, form, variant)
    if item_changed:
        materials = handed.still_taken(_needed(row, item), materials)
    row.materials = handed.chosen(_needed(row, item), _still_needed(row, item), materials)
    row.version += 1
    row.saved_at = now
    row.expires_on, row.reminded_at = day_of(now) + timedelta(days=DRAFT_DAYS), None
    found = problems_of(row, form, item, now)
    row.fits_on = None if found else day_of(now)
    db.writing().flush()
    return Saved(row.version, list(dict.fromkeys(cleared)), found, item_changed)


def put_answers(row: Application, form: Form, changes: Mapping[str, Any]) -> list[str]:
    """Keep answers; return the fields that are not asked for any more, whose answers were dropped.

    Raises:
        AnswersRefused: an answer cannot be kept: unknown or hidden field, wrong kind, too long.
    """
    wanted = {name: catalogue.normalised(form, name, value) for name, value in changes.items()}
    refused = catalogue.shape_problems(form, wanted)
    if refused:
        raise AnswersRefused(fields=refused)
    row.fits_on = None
    _forget_sources(row, form, wanted)
    for name, value in wanted.items():
        sealing.put(row, form, name, value)
    visible = catalogue.visible_fields(form, row.answers)
    hidden = [name for name in (*row.answers, *row.sealed) if name not in visible]
    asked_in_vain = {name: ["这一项不需要填写"] for name in hidden if wanted.get(name) is not None}
    if asked_in_vain:
        raise AnswersRefused(fields=asked_in_vain)
    for name in hidden:
        sealing.put(row, form, name, None)
    row.sources = {name: told for name, told in row.sources.items() if name not in hidden}
    return hidden


def _forget_sources(row: Application, form: Form, wanted: Mapping[str, Any]) -> None:
    """An answer that the person changed is the person's own: it has no source any more."""
    doubtful = [name for name in wanted if name in row.sources]
    if not doubtful:
        return
    before = sealing.opened(row, form)
    changed = {name for name in doubtful if wanted[name] != before.get(name)}
    row.sources = {name: told for name, told in row.sources.items() if name not in changed}


def choose_variant(row: Application, item: ItemView, form: Form, chosen: str | None) -> None:
    """Set the variant (情形): what the answers say, else what the applicant chose.

    A variant that is told by answers is nobody's to choose against them.

    Raises:
        Invalid: the item has no such variant.
    """
    said = catalogue.variant_for(item.content, _asked(form, row.answers))
    wanted = row.variant if chosen is None else chosen
    by_answers = {one.code for one in item.content.variants if one.when is not None}
    row.variant = said or ("" if wanted in by_answers else wanted)
    catalogue.materials_for(item.content, row.variant)


def _asked(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    visible = catalogue.visible_fields(form, answers)
    return {name: value for name, value in answers.items() if name in visible}


def _needed(row: Application, item: ItemView) -> tuple[Material, ...]:
    return catalogue.materials_for(item.content, row.variant)


def _still_needed(row: Application, item: ItemView) -> dict[str, str]:
    """Return the choices for what this variant needs; files of what it does not are forgotten."""
    needed = _needed(row, item)
    codes = {one.code for one in needed}
    attachments.forget_all_but(row, codes)
    before = {code: way for code, way in row.materials.items() if code in codes}
    return {**handed.only_ways(needed), **before}


def draft_locked(resident_id: int, application_id: int, *, now: datetime) -> Application:
    """Return a draft for writing.

    Raises:
        NotFound: not theirs.
        MoveNotAllowed: it is submitted already.
    """
    row = party_locked(resident_id, application_id, on=day_of(now))
    if row.state is not State.DRAFT:
        raise MoveNotAllowed("已经提交，不能再改。要补充材料，请等补正通知或联系办理单位")
    return row


def _follow_item(row: Application) -> tuple[bool, list[str]]:
    """Move a draft to the version of the item that is in force; return whether, and what was dropped."""
    item = open_item(row.implementation_id)
    if item.version_id == row.item_version_id or item.form is None:
        return False, []
    former = form_of(row)
    properties = item.form["schema"]["properties"]
    same = former["schema"]["properties"]
    lost = [name for name in (*row.answers, *row.sealed) if properties.get(name) != same.get(name)]
    row.fits_on = None
    for name in lost:
        sealing.drop(row, name)
    row.sources = {name: told for name, told in row.sources.items() if name not in lost}
    row.item_version_id = row.form_version_id = item.version_id
    row.body_id, row.region_code = item.body_id, item.region_code
    if row.variant not in {one.code for one in item.content.variants}:
        row.variant = ""
    uploads = {one.code for one in item.content.materials if Handing.UPLOAD in one.handings}
    attachments.forget_all_but(row, uploads)
    row.materials = dict.fromkeys(row.files, Handing.UPLOAD.value)
    return True, lost


def draft_problems(resident_id: int, application_id: int, *, now: datetime) -> dict[str, list[str]]:
    """Return what keeps a draft from being submitted.

    Raises:
        NotFound: not theirs.
    """
    row = party_row(resident_id, application_id, on=day_of(now))
    return problems_of(row, form_of(row), catalogue.version(row.item_version_id), now)


def problems_of(row: Application, form: Form, item: ItemView, now: datetime) -> dict[str, list[str]]:
    """Return, per field and material, what keeps an application from being submitted.

    Answers that were seen to fit today are not taken out of the vault again.
    """
    found = {}
    if row.fits_on != day_of(now):
        found = catalogue.problems(form, sealing.opened(row, form), day_of(now))
    # An item all of whose variants are told by the answers needs no choice.
    if not row.variant and any(one.when is None for one in item.content.variants):
        found["variant"] = ["请选择您的情形"]
    return {**found, **handed.missing(_needed(row, item), row.materials, row.files)}


def discard(resident_id: int, application_id: int, *, now: datetime) -> None:
    """Give a draft up; its personal answers and its files are forgotten at once.

    Raises:
        NotFound: not theirs.
        MoveNotAllowed: it is submitted already.
    """
    row = draft_locked(resident_id, application_id, now=now)
    give_up(row, actor=actor_of(resident_id), now=now)


def give_up(row: Application, *, actor: str, now: datetime) -> None:
    """End a draft, and forget what was typed and uploaded."""
    forget_contents(row)
    row.expires_on = None
    moving.make_move(row, Event.DISCARD, Who.RESIDENT, actor=actor, now=now)


def forget_contents(row: Application) -> None:
    """Forget every answer and every file of an application."""
    for name in [*row.answers, *row.sealed]:
        sealing.drop(row, name)
    attachments.forget_all_but(row, frozenset())
    row.sources = {}
