"""Progress of a theme application: for its owner whole, without signing in by number and query code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from secrets import compare_digest
from typing import Any

from sqlalchemy import and_, or_, select

from app.applications import service as applications
from app.applications.service import (
    Channel,
    ProgressPart,
    ProgressStep,
    ProgressUnknown,
    ProgressView,
    Standing,
)
from app.catalogue import service as catalogue
from app.catalogue.service import Form
from app.core import db, vault
from app.core.cursor import decode, encode
from app.core.errors import NotFound
from app.identity import service as identity
from app.themes import moving, running, sealing
from app.themes.domain import (
    ENDED,
    EVENT_LABELS,
    LEFT,
    PART_LABELS,
    STATE_LABELS,
    Event,
    PartStatus,
    State,
    may_move,
)
from app.themes.made import Made, made_of
from app.themes.merging import MergedSlot
from app.themes.models import (
    ThemeApplication,
    ThemeApplicationEvent,
    ThemeMerge,
    ThemePart,
    ThemeVersion,
)

QUERY_CODE_DIGITS = 8
_NONE = 0


@dataclass(frozen=True, slots=True)
class EventView:
    """One step; ``text`` is for the applicant."""

    number: int
    event: Event
    label: str
    to_state: State
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class PartView:
    """One item of a theme application.

    Attributes:
        waits_for: names of the items that must be granted first.
        application_id, number, state_label, due_on: of the sub-case; None until it is opened.
    """

    item: str
    name: str
    body_name: str
    status: PartStatus
    label: str
    reason: str
    waits_for: list[str]
    application_id: int | None
    number: str | None
    state_label: str | None
    due_on: date | None

    @property
    def done(self) -> bool:
        return self.status not in LEFT


@dataclass(frozen=True, slots=True)
class ThemeLineView:
    """A theme application as a list shows it."""

    id: int
    number: str | None
    theme_id: int
    name: str
    state: State
    state_label: str
    created_at: datetime
    saved_at: datetime
    submitted_at: datetime | None
    done_count: int
    part_count: int


@dataclass(frozen=True, slots=True)
class ThemeCaseView:
    """A theme application whole, for its owner.

    Attributes:
        answers: numbers of people with stars; personal ones are forgotten once it has ended.
        visible: the questions asked with these answers, in order.
        due_on: by when all must be decided; None while nobody accepted anything, or while paused.
        law: where the limit stands; ``""`` for the latest of the sub-cases' own limits.
        level: 实名等级 that submitting demands.
        may: what the owner may do now.
    """

    id: int
    version: int
    number: str | None
    query_code: str
    theme_id: int
    name: str
    sample: bool
    region_code: str
    state: State
    state_label: str
    channel: Channel
    form: Form
    answers: Mapping[str, Any]
    visible: list[str]
    slots: list[MergedSlot]
    materials: Mapping[str, str]
    uses: Mapping[str, list[str]]
    created_at: datetime
    saved_at: datetime
    submitted_at: datetime | None
    ended_at: datetime | None
    due_on: date | None
    law: str
    extension_days: int
    extension_reason: str
    level: int
    parts: list[PartView]
    events: list[EventView]
    may: tuple[Event, ...]

    @property
    def sources(self) -> dict[str, Any]:
        """Return where answers came from other than the applicant: nothing is prefilled here."""
        return {}

    @property
    def done_count(self) -> int:
        return sum(one.done for one in self.parts)

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class ThemeProgress:
    """Where a theme application stands, for who knows number and query code: nothing personal."""

    number: str
    name: str
    state: State
    state_label: str
    submitted_at: datetime
    due_on: date | None
    parts: list[PartView]
    events: list[EventView]


@dataclass(frozen=True, slots=True)
class ThemeCaseList:
    items: list[ThemeLineView]
    next_cursor: str | None


def query_code_of(theme_application_id: int) -> str:
    """Return the code (查询密码) that belongs to a theme application; derived, stored nowhere."""
    digest = vault.blind_index("theme.query_code", str(theme_application_id))
    return f"{int(digest, 16) % 10**QUERY_CODE_DIGITS:0{QUERY_CODE_DIGITS}}"


def progress(number: str, query_code: str) -> ThemeProgress:
    """Return where a theme application stands; as much is reckoned for numbers that do not exist.

    Raises:
        ProgressUnknown: no such number, or not its code.
    """
    query = select(ThemeApplication).where(
        ThemeApplication.number == number, ThemeApplication.submitted_at.is_not(None)
    )
    row = db.session().scalar(query)
    right = compare_digest(query_code_of(row.id if row else _NONE).encode(), query_code.encode())
    if row is None or not right or row.number is None or row.submitted_at is None:
        raise ProgressUnknown
    made, parts = made_of(row), running.parts_of(row.id)
    known = running.standings_of(parts)
    return ThemeProgress(
        number=row.number,
        name=made.definition.name,
        state=row.state,
        state_label=STATE_LABELS[row.state],
        submitted_at=row.submitted_at,
        due_on=_due_on(row, made, known),
        parts=_parts(made, parts, known),
        events=_events(row.id),
    )


def _due_on(row: ThemeApplication, made: Made, known: Mapping[int, Standing]) -> date | None:
    """Return by when all must be decided: the joint limit, else the latest of the sub-cases' own."""
    if row.state in ENDED:
        return None
    if made.definition.joint:
        return row.joint_due_on
    limits = [one.lawful_due_on or one.promise_due_on for one in known.values()]
    return max((one for one in limits if one is not None), default=None)


def _parts(made: Made, parts: Mapping[str, ThemePart], known: Mapping[int, Standing]) -> list[PartView]:
    return [_part(made, part, known.get(part.application_id or 0)) for part in parts.values()]


def _part(made: Made, part: ThemePart, standing: Standing | None) -> PartView:
    view = made.views[part.item]
    before = [made.views[one].content.name for one in made.views if one in made.needs[part.item]]
    return PartView(
        item=part.item,
        name=view.content.name,
        body_name=view.body_name,
        status=part.status,
        label=PART_LABELS[part.status],
        reason=part.reason,
        waits_for=before if part.status is PartStatus.WAITING else [],
        application_id=standing.id if standing else None,
        number=standing.number if standing else None,
        state_label=applications.PLAIN_LABELS[standing.state] if standing else None,
        due_on=standing.due_on if standing else None,
    )


def _events(theme_application_id: int) -> list[EventView]:
    query = (
        select(ThemeApplicationEvent)
        .where(ThemeApplicationEvent.theme_application_id == theme_application_id)
        .order_by(ThemeApplicationEvent.number)
    )
    return [
        EventView(one.number, one.event, EVENT_LABELS[one.event], one.to_state, one.at, one.text)
        for one in db.session().scalars(query)
    ]


def my_case(resident_id: int, theme_application_id: int) -> ThemeCaseView:
    """Return one of somebody's theme applications.

    Raises:
        NotFound: there is none, or it is another person's.
    """
    row = db.session().get(ThemeApplication, theme_application_id)
    if row is None:
        raise NotFound("没有这个主题办件")
    moving.check_owner(row, resident_id)
    return _view(row)


def _view(row: ThemeApplication) -> ThemeCaseView:
    made, parts = made_of(row), running.parts_of(row.id)
    known, form = running.standings_of(parts), made.merged.form
    names = {item: view.content.name for item, view in made.views.items()}
    return ThemeCaseView(
        id=row.id,
        version=row.version,
        number=row.number,
        query_code=query_code_of(row.id) if row.number else "",
        theme_id=made.theme_id,
        name=made.definition.name,
        sample=made.definition.sample,
        region_code=row.region_code,
        state=row.state,
        state_label=STATE_LABELS[row.state],
        channel=row.channel,
        form=form,
        answers=sealing.shown(row, form),
        visible=catalogue.visible_fields(form, row.answers),
        slots=made.slots(row.answers),
        materials=row.materials,
        uses={name: [names[item] for item in told] for name, told in made.merged.uses.items()},
        created_at=row.created_at,
        saved_at=row.saved_at,
        submitted_at=row.submitted_at,
        ended_at=row.ended_at,
        due_on=_due_on(row, made, known),
        law="行政许可法第二十六条、第四十二条" if made.definition.joint else "",
        extension_days=row.extension_days,
        extension_reason=row.extension_reason,
        level=max(view.content.level for view in made.views.values()),
        parts=_parts(made, parts, known) or _parts_to_be(made),
        events=_events(row.id),
        may=tuple(one for one in (Event.SUBMIT, Event.DISCARD, Event.WITHDRAW) if may_move(row.state, one)),
    )


def _parts_to_be(made: Made) -> list[PartView]:
    """Return what a draft will be split into."""
    return [
        PartView(
            item,
            view.content.name,
            view.body_name,
            PartStatus.WAITING,
            "提交后分送",
            "",
            [made.views[one].content.name for one in made.needs[item]],
            None,
            None,
            None,
            None,
        )
        for item, view in made.views.items()
    ]


def mine(resident_id: int, *, cursor: str | None = None, limit: int = 20) -> ThemeCaseList:
    """Return somebody's theme applications, the newest first; drafts that were given up are left out.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    given_up = and_(ThemeApplication.state == State.WITHDRAWN, ThemeApplication.submitted_at.is_(None))
    query = select(ThemeApplication).where(
        ThemeApplication.resident_id.in_(identity.accounts_of(resident_id)), ~given_up
    )
    if cursor:
        at, last = decode(cursor)
        query = query.where(
            or_(
                ThemeApplication.created_at < at,
                and_(ThemeApplication.created_at == at, ThemeApplication.id < last),
            )
        )
    order = (ThemeApplication.created_at.desc(), ThemeApplication.id.desc())
    rows = list(db.session().scalars(query.order_by(*order).limit(limit + 1)))
    shown = rows[:limit]
    following = encode(shown[-1].created_at, shown[-1].id) if len(rows) > limit else None
    return ThemeCaseList(_lines(shown), following)


def _lines(rows: Sequence[ThemeApplication]) -> list[ThemeLineView]:
    """Return several as a list shows them, with as many queries as for one."""
    if not rows:
        return []
    versions = select(ThemeVersion.id, ThemeVersion.theme_id, ThemeVersion.definition).where(
        ThemeVersion.id.in_({row.version_id for row in rows})
    )
    themes = {one.id: one for one in db.session().execute(versions)}
    merges = select(ThemeMerge.id, ThemeMerge.parts).where(ThemeMerge.id.in_({row.merge_id for row in rows}))
    counts = {one.id: len(one.parts) for one in db.session().execute(merges)}
    parts = select(ThemePart.theme_application_id, ThemePart.status).where(
        ThemePart.theme_application_id.in_({row.id for row in rows})
    )
    done = Counter(row_id for row_id, status in db.session().execute(parts) if status not in LEFT)
    return [
        ThemeLineView(
            id=row.id,
            number=row.number,
            theme_id=themes[row.version_id].theme_id,
            name=themes[row.version_id].definition["name"],
            state=row.state,
            state_label=STATE_LABELS[row.state],
            created_at=row.created_at,
            saved_at=row.saved_at,
            submitted_at=row.submitted_at,
            done_count=done[row.id],
            part_count=counts[row.merge_id],
        )
        for row in rows
    ]


_AS_CASE = {
    State.SPLIT: applications.State.SUBMITTED,
    State.RUNNING: applications.State.HANDLING,
    State.WAITING_PREREQUISITE: applications.State.HANDLING,
    State.COMPLETED: applications.State.COMPLETED,
    State.PARTLY_COMPLETED: applications.State.COMPLETED,
    State.WITHDRAWN: applications.State.WITHDRAWN,
}
"""The nearest state of a case, for those that know no themes; the words are the theme's own."""


def found_by_number(number: str, query_code: str) -> ProgressView | None:
    """Return a theme application as the one page of progress shows it; None when it is no number of ours."""
    try:
        found = progress(number, query_code)
    except ProgressUnknown:
        return None
    return ProgressView(
        number=found.number,
        item_name=found.name,
        body_name="、".join(dict.fromkeys(one.body_name for one in found.parts)),
        state=_AS_CASE[found.state],
        state_label=found.state_label,
        submitted_at=found.submitted_at,
        due_on=found.due_on,
        steps=[ProgressStep(one.number, one.label, one.at) for one in found.events],
        parts=[
            ProgressPart(
                one.number, one.name, one.body_name, one.state_label or one.label, one.due_on, one.done
            )
            for one in found.parts
        ],
    )
