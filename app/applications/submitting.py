"""Submission: number, clock of intake, notice; what was filled in stays as it was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.applications import attachments, moving, telling
from app.applications import materials as handed
from app.applications.domain import (
    AnswersRefused,
    Channel,
    Event,
    ItemChanged,
    Who,
    new_number,
)
from app.applications.drafts import (
    choose_variant,
    draft_locked,
    new_row,
    open_item,
    problems_of,
    put_answers,
)
from app.applications.models import Application
from app.applications.own import actor_of
from app.applications.parties import principal_for
from app.applications.receipts import Receipt, receipt_of
from app.applications.views import form_of
from app.catalogue import service as catalogue
from app.catalogue.service import ItemView
from app.core import db
from app.core.clock import day_of
from app.core.errors import LevelTooLow
from app.identity import service as identity
from app.identity.service import Principal
from app.organisations import service as organisations

db.draw_again("application.number", "uq_application_number")


def submit(
    resident_id: int,
    application_id: int,
    *,
    version: int,
    level: int = identity.CHANNEL_LEVEL,
    now: datetime,
) -> Receipt:
    """Submit a draft; the form it was filled in with, its files and sources stay with it.

    Args:
        level: how sure the hall is of who submits; the item says how sure it must be.

    Raises:
        NotFound: not theirs.
        MoveNotAllowed: it is submitted already.
        Stale: another device saved meanwhile; look at it first.
        ItemChanged: the item has a newer version; save once to see what changed.
        ItemClosed: it cannot be applied for here now.
        LevelTooLow: the item demands a higher level (实名等级).
        Forbidden: the delegation does not hold any more, or does not cover the item.
        AnswersRefused: the answers do not fit the form.
    """
    row = draft_locked(resident_id, application_id, now=now)
    moving.check_version(row, version)
    item = open_item(row.implementation_id)
    if item.version_id != row.item_version_id:
        raise ItemChanged
    demand_level(item, level)
    if row.delegation_id is not None and row.agent_id == resident_id:
        principal_for(resident_id, row.delegation_id, item.directory_id, on=day_of(now))
    faults = problems_of(row, item.form or form_of(row), item, now)
    if faults:
        raise AnswersRefused(fields=faults)
    _hand_in(row, item, resident_id, now)
    return receipt_of(row)


def demand_level(item: ItemView, level: int) -> None:
    """Refuse who is not known well enough to submit an application for the item.

    Raises:
        LevelTooLow: says which level is needed.
    """
    if level < item.content.level:
        raise LevelTooLow(level_needed=item.content.level)


def apply_with(
    resident_id: int,
    item_id: int,
    answers: Mapping[str, Any],
    materials: Mapping[str, str],
    *,
    variant: str = "",
    agent: Principal | None = None,
    channel: Channel,
    now: datetime,
) -> int:
    """Apply in one go: draft and submission in the running transaction; return the case's id.

    The caller has made sure of who applies: no level is asked for here.

    Args:
        resident_id: who applies, or who acts for ``agent``.
        agent: for whom ``resident_id`` acts, as ``identity.may_act`` returned it; None for oneself.
        materials: by code, how each is handed in.
        variant: 情形; what the answers say goes first.

    Raises:
        NotFound: no such item.
        ItemClosed: it cannot be applied for here now.
        AnswersRefused: they do not fit the form, or a material is missing.
        Invalid: the item has no such variant.
    """
    item = open_item(item_id)
    row = new_row(resident_id, item, agent, variant=variant, channel=channel, now=now)
    form = form_of(row)
    put_answers(row, form, answers)
    choose_variant(row, item, form, variant)
    needed = catalogue.materials_for(item.content, row.variant)
    row.materials = handed.chosen(needed, handed.only_ways(needed), materials)
    faults = problems_of(row, form, item, now)
    if faults:
        raise AnswersRefused(fields=faults)
    _hand_in(row, item, resident_id, now)
    return row.id


def _hand_in(row: Application, item: ItemView, resident_id: int, now: datetime) -> None:
    row.number = free_number(item.region_code, row.channel, now)
    row.submitted_at = now
    row.expires_on = None
    attachments.hand_over(row, now)
    moving.start_intake(row, now)
    moving.make_move(row, Event.SUBMIT, Who.RESIDENT, actor=actor_of(resident_id), now=now)
    telling.tell(row, item, telling.SUBMITTED, now)


def free_number(region_code: str, channel: Channel, now: datetime) -> str:
    """Return a new case number; in the rare case that somebody has it the transaction runs again."""
    place = region_code if region_code.isdigit() else _place_of_zone(region_code)
    return new_number(place, day_of(now), channel)


def _place_of_zone(region_code: str) -> str:
    """Zones have no GB/T 2260 code of their own: their number names the city they lie in."""
    regions = {one.code: one for one in organisations.regions()}
    place = regions[region_code]
    while not place.code.isdigit() and place.parent_code:
        place = regions[place.parent_code]
    return place.code
