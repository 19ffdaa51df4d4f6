"""What applicants do with their own cases; another person's case does not exist for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from app.applications import attachments, moving, sealing, telling
from app.applications import materials as handed
from app.applications.domain import (
    PLAIN_LABELS,
    AnswersRefused,
    Event,
    MoveNotAllowed,
    State,
    Who,
)
from app.applications.models import Application, ApplicationSupplement
from app.applications.parties import ENTERPRISE, party_locked, party_row, today
from app.applications.progress import query_code_of
from app.applications.views import CaseLine, CaseView, case_view, due_of, form_of
from app.catalogue import service as catalogue
from app.catalogue.service import Form, Handing, ItemView
from app.core import audit, db
from app.core.clock import day_of
from app.core.cursor import decode, encode
from app.identity import service as identity

actor_of = identity.actor_of


@dataclass(frozen=True, slots=True)
class NewCode:
    """A case's new query code, and the version it has since."""

    version: int
    query_code: str


@dataclass(frozen=True, slots=True)
class CaseList:
    items: list[CaseLine]
    next_cursor: str | None


def mine(
    resident_id: int,
    *,
    cursor: str | None = None,
    limit: int = 20,
    body_id: int | None = None,
    acting: bool = False,
) -> CaseList:
    """Return somebody's applications, the newest first; drafts that were given up are left out.

    Args:
        body_id: only what was handed in to this body.
        acting: those that they made for others instead of their own, as long as they may act for them.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    given_up = and_(Application.state == State.WITHDRAWN, Application.submitted_at.is_(None))
    accounts = identity.accounts_of(resident_id)
    own = and_(Application.resident_id.in_(accounts), Application.enterprise_id.is_(None))
    whose = _acted_in(resident_id, accounts) if acting else own
    query = select(Application).where(whose, ~given_up)
    if body_id is not None:
        query = query.where(Application.body_id == body_id, Application.submitted_at.is_not(None))
    if cursor:
        at, last = decode(cursor)
        query = query.where(
            or_(
                Application.created_at < at,
                and_(Application.created_at == at, Application.id < last),
            )
        )
    order = (Application.created_at.desc(), Application.id.desc())
    rows = list(db.session().scalars(query.order_by(*order).limit(limit + 1)))
    shown = rows[:limit]
    following = encode(shown[-1].created_at, shown[-1].id) if len(rows) > limit else None
    items = catalogue.versions({row.item_version_id for row in shown})
    return CaseList([line_of(row, items[row.item_version_id]) for row in shown], following)


def _acted_in(resident_id: int, accounts: Collection[int]) -> ColumnElement[bool]:
    """Match what somebody made for those for whom they may act to this day."""
    principals = identity.acting_for(resident_id, on=today())
    people = {one for who in principals if who.kind != ENTERPRISE for one in identity.accounts_of(who.id)}
    enterprises = {who.id for who in principals if who.kind == ENTERPRISE}
    for_people = and_(Application.enterprise_id.is_(None), Application.resident_id.in_(people))
    still_theirs = or_(for_people, Application.enterprise_id.in_(enterprises))
    return and_(Application.agent_id.in_(accounts), still_theirs)


def line_of(row: Application, item: ItemView) -> CaseLine:
    """Return a case as a list shows it."""
    return CaseLine(
        id=row.id,
        number=row.number,
        item_id=item.id,
        item_name=item.content.name,
        body_name=item.body_name,
        state=row.state,
        state_label=PLAIN_LABELS[row.state],
        created_at=row.created_at,
        saved_at=row.saved_at,
        submitted_at=row.submitted_at,
        due_on=due_of(row),
        expires_on=row.expires_on,
        by_agent=row.agent_id is not None,
    )


def my_case(resident_id: int, application_id: int, *, on: date | None = None) -> CaseView:
    """Return one of somebody's applications, or one in which they act for somebody.

    Raises:
        NotFound: there is none, or it is another person's.
    """
    row = party_row(resident_id, application_id, on=on)
    code = query_code_of(row.id, row.code_issue) if row.number else ""
    return case_view(row, code, who=(Who.RESIDENT,))


def new_query_code(resident_id: int, application_id: int, *, version: int, now: datetime) -> NewCode:
    """Give a case a new query code, and return it; the old one shows nothing from now on.

    Raises:
        NotFound: not theirs.
        Stale: it moved on meanwhile.
        MoveNotAllowed: a draft has no code.
    """
    row = party_locked(resident_id, application_id, on=day_of(now))
    moving.check_version(row, version)
    if row.number is None:
        raise MoveNotAllowed("提交后才有查询码")
    row.code_issue += 1
    row.version += 1
    audit.record(actor_of(resident_id), "application.new_code", "application", row.id)
    db.writing().flush()
    return NewCode(row.version, query_code_of(row.id, row.code_issue))


def withdraw(resident_id: int, application_id: int, *, version: int, now: datetime) -> None:
    """Withdraw an application before it is decided.

    Raises:
        NotFound: not theirs.
        Stale: it moved on meanwhile.
        MoveNotAllowed: it is decided, or ended.
    """
    row = party_locked(resident_id, application_id, on=day_of(now))
    moving.check_version(row, version)
    if row.state is State.DRAFT:
        raise MoveNotAllowed("草稿没有提交，可以直接放弃")
    attachments.forget_unsent(row)
    moving.make_move(row, Event.WITHDRAW, Who.RESIDENT, actor=actor_of(resident_id), now=now)


def supply(
    resident_id: int,
    application_id: int,
    answers: Mapping[str, Any],
    materials: Mapping[str, str],
    statement: str,
    *,
    version: int,
    now: datetime,
) -> None:
    """Hand in what the notice asked for: its fields, its materials, and a word about the rest.

    Only what the notice names may change, and what is asked for because of it; a new clock of intake
    begins.

    Raises:
        NotFound: not theirs.
        Stale: it moved on meanwhile.
        MoveNotAllowed: nothing was asked for.
        AnswersRefused: something was not asked for, is missing, or does not fit the form.
    """
    row = party_locked(resident_id, application_id, on=day_of(now))
    moving.check_version(row, version)
    notice = open_notice(row)
    form, item = form_of(row), catalogue.version(row.item_version_id)
    wanted = {name: catalogue.normalised(form, name, value) for name, value in answers.items()}
    materials = {**_uploaded(row, notice), **materials}
    _check_supplied(row, form, notice, wanted, materials, statement)
    for name, value in wanted.items():
        sealing.put(row, form, name, value)
    row.sources = {name: told for name, told in row.sources.items() if name not in wanted}
    visible = catalogue.visible_fields(form, row.answers)
    for name in [one for one in (*row.answers, *row.sealed) if one not in visible]:
        sealing.put(row, form, name, None)
    # The variant stays as it was applied for; a notice may name any material of the item.
    row.materials = handed.chosen(item.content.materials, row.materials, materials)
    wrong = _wrong_now(row, form, wanted, now)
    if wrong:
        raise AnswersRefused(fields=wrong)
    attachments.hand_over(row, now)
    notice.supplied_at, notice.statement = now, statement
    moving.start_intake(row, now)
    moving.make_move(
        row,
        Event.SUPPLY,
        Who.RESIDENT,
        actor=actor_of(resident_id),
        now=now,
        detail={"fields": sorted(wanted), "materials": sorted(materials)},
    )
    telling.tell(row, item, telling.SUBMITTED, now)


def _wrong_now(
    row: Application, form: Form, wanted: Mapping[str, Any], now: datetime
) -> dict[str, list[str]]:
    """Return what is wrong with all answers; those handed in before are judged by that day.

    Else "not before today" would stop who was asked for something else days later, without a remedy.
    """
    answers = sealing.opened(row, form)
    wrong = catalogue.problems(form, answers, day_of(now))
    if wrong.keys() <= wanted.keys() or row.received_at is None:
        return wrong
    before = catalogue.problems(form, answers, day_of(row.received_at))
    return {name: words for name, words in wrong.items() if name in wanted or name in before}


def _check_supplied(
    row: Application,
    form: Form,
    notice: ApplicationSupplement,
    wanted: Mapping[str, Any],
    materials: Mapping[str, str],
    statement: str,
) -> None:
    fields = {one["field"] for one in notice.items if one.get("field")}
    codes = materials_of(notice)
    before = catalogue.visible_fields(form, row.answers)
    after = catalogue.visible_fields(form, {**row.answers, **wanted})
    newly_asked = set(after) - set(before)
    faults = catalogue.shape_problems(form, wanted)
    faults |= {name: ["补正通知没有要求改这一项"] for name in set(wanted) - fields - newly_asked}
    faults |= {name: ["请填写这一项"] for name in fields & set(after) if wanted.get(name) is None}
    faults |= {f"materials.{code}": ["补正通知没有要求这份材料"] for code in set(materials) - codes}
    faults |= {f"materials.{code}": ["请选择怎样提交"] for code in codes - set(materials)}
    uploaded = _uploaded(row, notice)
    faults |= {
        f"materials.{code}": ["请上传新的照片或文件"]
        for code, way in materials.items()
        if code in codes and way == Handing.UPLOAD and code not in uploaded
    }
    in_words = [one for one in notice.items if not one.get("field") and not one.get("material")]
    if in_words and not statement:
        faults["statement"] = ["请写明怎样补正"]
    if faults:
        raise AnswersRefused(fields=faults)


def materials_of(notice: ApplicationSupplement) -> set[str]:
    """Return the codes of the materials that a notice asks for."""
    return {one["material"] for one in notice.items if one.get("material")}


def _uploaded(row: Application, notice: ApplicationSupplement) -> dict[str, str]:
    """Return the materials of a notice for which something was uploaded since."""
    fresh = {one.material for one in attachments.files_of(row) if not one.sent}
    return dict.fromkeys(materials_of(notice) & fresh, Handing.UPLOAD.value)


def open_notice(row: Application) -> ApplicationSupplement:
    """Return the notice that waits for an answer.

    Raises:
        MoveNotAllowed: nothing was asked for.
    """
    if row.state is not State.SUPPLEMENT_DUE:
        raise MoveNotAllowed("现在没有要补正的内容")
    query = (
        select(ApplicationSupplement)
        .where(ApplicationSupplement.application_id == row.id)
        .order_by(ApplicationSupplement.number.desc())
        .limit(1)
    )
    return db.writing().scalars(query).one()
