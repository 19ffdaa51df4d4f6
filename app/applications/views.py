"""Applications as others see them: the applicant, the desk, and who knows number and query code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import select

from app.applications import sealing
from app.applications.attachments import FileView, files_of
from app.applications.domain import (
    ENDED,
    EVENT_LABELS,
    PLAIN_LABELS,
    Channel,
    Event,
    State,
    Who,
    events_from,
)
from app.applications.models import Application, ApplicationEvent, ApplicationSupplement
from app.catalogue import service as catalogue
from app.catalogue.service import Form, ItemView, Material
from app.core import db
from app.core.errors import NotFound
from app.identity import service as identity


@dataclass(frozen=True, slots=True)
class EventView:
    """One step; ``text`` is for the applicant."""

    number: int
    event: Event
    label: str
    to_state: State
    who: Who
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class SupplementView:
    """One notice of what is missing; an item names a field or a material, or neither, and says what."""

    number: int
    items: list[dict[str, str]]
    asked_at: datetime
    due_on: date
    supplied_at: datetime | None
    statement: str


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case as a list shows it.

    Attributes:
        expires_on: when a draft is given up by itself; None for what was submitted.
        by_agent: somebody acts for the applicant.
    """

    id: int
    number: str | None
    item_id: int
    item_name: str
    body_name: str
    state: State
    state_label: str
    created_at: datetime
    saved_at: datetime
    submitted_at: datetime | None
    due_on: date | None
    expires_on: date | None
    by_agent: bool


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case whole.

    Attributes:
        due_on: by when its department must act next; None when nobody has to, or while paused.
        answers: numbers of people with stars; personal answers only where ``for_desk`` says so.
        visible: the fields asked for with these answers, in order.
        may: what the reader may do now.
        variant: 情形 that it is applied for in; ``""`` for none.
        needed: the materials of this variant; ``files`` what was uploaded for them.
        sources: by field, where a prefilled answer came from, in words under ``text``.
        acting: who acts for whom, in words; ``""`` where one applies for oneself.
        expires_on: when a draft is given up by itself.
        forgotten_at: when answers and files of an ended case were forgotten.
    """

    id: int
    version: int
    number: str | None
    query_code: str
    state: State
    state_label: str
    channel: Channel
    item: ItemView
    form: Form
    answers: Mapping[str, Any]
    visible: list[str]
    materials: Mapping[str, str]
    created_at: datetime
    saved_at: datetime
    submitted_at: datetime | None
    accepted_at: datetime | None
    decided_at: datetime | None
    completed_at: datetime | None
    ended_at: datetime | None
    intake_due_on: date | None
    supplement_due_on: date | None
    promise_due_on: date | None
    lawful_due_on: date | None
    delivery_due_on: date | None
    due_on: date | None
    granted: bool | None
    reason: str
    remedy: str
    result: Mapping[str, str] | None
    handler_id: int | None
    step: int
    events: list[EventView]
    supplements: list[SupplementView]
    may: tuple[Event, ...]
    variant: str
    needed: tuple[Material, ...]
    files: list[FileView]
    sources: Mapping[str, Mapping[str, str]]
    acting: str
    enterprise: bool
    expires_on: date | None
    forgotten_at: datetime | None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def form_of(row: Application) -> Form:
    """Return the form the case was filled in with.

    Raises:
        NotFound: that version has no form.
    """
    form = catalogue.version(row.form_version_id).form
    if form is None:
        raise NotFound("这个事项没有网上表单")
    return form


def case_view(row: Application, query_code: str, *, who: tuple[Who, ...], masked: bool = False) -> CaseView:
    """Return the whole of a case as ``who`` may see it; ``masked`` stars every personal answer."""
    form, item = form_of(row), catalogue.version(row.item_version_id)
    answers = sealing.masked(row, form) if masked else sealing.shown(row, form)
    return CaseView(
        id=row.id,
        version=row.version,
        number=row.number,
        query_code=query_code,
        state=row.state,
        state_label=PLAIN_LABELS[row.state],
        channel=row.channel,
        item=item,
        form=form,
        answers=answers,
        visible=catalogue.visible_fields(form, row.answers),
        materials=row.materials,
        created_at=row.created_at,
        saved_at=row.saved_at,
        submitted_at=row.submitted_at,
        accepted_at=row.accepted_at,
        decided_at=row.decided_at,
        completed_at=row.completed_at,
        ended_at=row.ended_at,
        intake_due_on=row.intake_due_on,
        supplement_due_on=row.supplement_due_on,
        promise_due_on=row.promise_due_on,
        lawful_due_on=row.lawful_due_on,
        delivery_due_on=row.delivery_due_on,
        due_on=due_of(row),
        granted=row.granted,
        reason=row.reason,
        remedy=row.remedy,
        result=row.result,
        handler_id=row.handler_id,
        step=row.step,
        events=events_of(row.id),
        supplements=supplements_of(row.id),
        may=tuple(event for one in who for event in events_from(row.state, one)),
        variant=row.variant,
        needed=_needed(row, item),
        files=files_of(row, for_desk=Who.RESIDENT not in who),
        sources=row.sources,
        acting=_acting(row),
        enterprise=row.enterprise_id is not None,
        expires_on=row.expires_on,
        forgotten_at=row.forgotten_at,
    )


def _needed(row: Application, item: ItemView) -> tuple[Material, ...]:
    """Return the materials of the case's variant; the place above that it was referred to may not have it."""
    known = row.variant in {one.code for one in item.content.variants}
    return catalogue.materials_for(item.content, row.variant if known else "")


def _acting(row: Application) -> str:
    if row.enterprise_id is not None:
        return f"以“{identity.enterprise(row.enterprise_id).name}”的名义申请"
    if row.agent_id is None:
        return ""
    agent = identity.person_of(row.agent_id)
    return f"由{agent.name_masked if agent else '代办人'}代办"


class _Dated(Protocol):
    """A case, or as much of its row as was read."""

    @property
    def state(self) -> State: ...
    @property
    def intake_due_on(self) -> date | None: ...
    @property
    def supplement_due_on(self) -> date | None: ...
    @property
    def promise_due_on(self) -> date | None: ...
    @property
    def delivery_due_on(self) -> date | None: ...


def due_of(row: _Dated) -> date | None:
    """Return by when the department must act next."""
    match row.state:
        case State.SUBMITTED:
            return row.intake_due_on
        case State.SUPPLEMENT_DUE:
            return row.supplement_due_on
        case State.ACCEPTED | State.HANDLING:
            return row.promise_due_on
        case State.DECIDED | State.COMPLETED:
            return row.delivery_due_on
    return None


def events_of(application_id: int) -> list[EventView]:
    """Return the steps of a case, the first first."""
    query = (
        select(ApplicationEvent)
        .where(ApplicationEvent.application_id == application_id)
        .order_by(ApplicationEvent.number)
    )
    return [
        EventView(one.number, one.event, EVENT_LABELS[one.event], one.to_state, one.who, one.at, one.text)
        for one in db.session().scalars(query)
    ]


def supplements_of(application_id: int) -> list[SupplementView]:
    """Return what was asked for besides, the first first."""
    query = (
        select(ApplicationSupplement)
        .where(ApplicationSupplement.application_id == application_id)
        .order_by(ApplicationSupplement.number)
    )
    return [
        SupplementView(one.number, one.items, one.asked_at, one.due_on, one.supplied_at, one.statement)
        for one in db.session().scalars(query)
    ]
