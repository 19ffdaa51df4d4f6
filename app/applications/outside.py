"""What departments' own systems need: where a case stands, what was handed in, and cases taken in there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.applications import attachments, moving, sealing, telling
from app.applications.attachments import FileView
from app.applications.blobs import BlobStore
from app.applications.domain import Channel, Event, State, Who
from app.applications.drafts import new_row
from app.applications.models import Application, ApplicationEvent
from app.applications.submitting import free_number
from app.applications.views import form_of
from app.catalogue import service as catalogue
from app.catalogue.service import CaseType, Form, ItemView
from app.core import audit, db
from app.core.errors import Conflict, NotFound
from app.identity import service as identity

USE_MAX, BY_MAX = 120, 80
"""Characters of what was used and by whom, as the applicant reads it."""


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Where a case stands, as far as a report about it must know.

    Attributes:
        step: how many of ``step_count`` steps are done.
        on_the_spot: a 即办件.
        result_name: what the item yields; ``""`` where it names nothing.
        moved_at: when the last step was taken.
    """

    id: int
    number: str
    state: State
    step: int
    step_count: int
    on_the_spot: bool
    result_name: str
    item_code: str
    item_name: str
    body_id: int
    region_code: str
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One step of a case, and by whom."""

    event: Event
    who: Who
    actor: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What an applicant handed in, in clear text: for the body that decides on it, and nobody else.

    Attributes:
        answers: by the label of the form's field.
        materials: code, name and way of each.
    """

    name: str
    id_number: str
    phone: str
    channel: Channel
    submitted_at: datetime
    answers: Mapping[str, Any]
    materials: list[dict[str, str]]


def facts_of(application_id: int) -> CaseFacts:
    """Return where a case stands; inside a transaction as it is there.

    Raises:
        NotFound: there is none, or it was not handed in.
    """
    row = db.session().get(Application, application_id)
    if row is None or row.submitted_at is None or row.number is None:
        raise NotFound("没有这个办件")
    item = catalogue.version(row.item_version_id)
    results = item.content.results
    last = select(func.max(ApplicationEvent.at)).where(ApplicationEvent.application_id == row.id)
    return CaseFacts(
        id=row.id,
        number=row.number,
        state=row.state,
        step=row.step,
        step_count=len(item.content.steps),
        on_the_spot=item.content.case_type is CaseType.ON_THE_SPOT,
        result_name=results[0].name if results else "",
        item_code=item.code,
        item_name=item.content.name,
        body_id=row.body_id,
        region_code=row.region_code,
        moved_at=db.session().scalar(last) or row.submitted_at,
    )


def id_by_number(number: str) -> int | None:
    """Return the id of the case with a number, None when there is none."""
    query = select(Application.id).where(Application.number == number, Application.submitted_at.is_not(None))
    return db.session().scalar(query)


def step_taken(application_id: int, number: int) -> StepTaken:
    """Return the ``number``-th step of a case.

    Raises:
        NotFound: there is none.
    """
    query = select(ApplicationEvent).where(
        ApplicationEvent.application_id == application_id, ApplicationEvent.number == number
    )
    row = db.session().scalar(query)
    if row is None:
        raise NotFound("没有这一步")
    return StepTaken(row.event, row.who, row.actor, row.at, row.text)


def open_cases(body_id: int, *, after: int = 0, limit: int = 200) -> list[int]:
    """Return the ids of a body's cases that have not ended, by id, those above ``after``."""
    query = select(Application.id).where(
        Application.body_id == body_id,
        Application.desk_on.is_not(None),
        Application.id > after,
    )
    return list(db.session().scalars(query.order_by(Application.id).limit(limit)))


def hand_over(
    application_id: int, *, body_id: int, actor: str, by: str, first: bool, now: datetime
) -> HandedIn:
    """Open what was handed in for the system of the body that decides; the applicant sees that it was.

    Args:
        by: the system, in words for the applicant.
        first: the applicant is told of the first time, not of each repeat over the wire.

    Raises:
        NotFound: the body has no such case.
    """
    row = _of_body(application_id, body_id)
    form, item = form_of(row), catalogue.version(row.item_version_id)
    opened = sealing.opened(row, form)
    audit.record(actor, "application.hand_over", "application", row.id, {"by": by})
    if first:
        identity.record_use(
            row.resident_id,
            what=_words(form, row)[:USE_MAX],
            by=by[:BY_MAX],
            purpose="送到办理单位的业务系统办理申请",
            case_number=row.number or "",
            now=now,
        )
    return HandedIn(
        name=_first(form, opened, "name"),
        id_number=_first(form, opened, "id_number"),
        phone=_first(form, opened, "phone"),
        channel=row.channel,
        submitted_at=row.submitted_at or now,
        answers={form["fields"].get(name, {}).get("label", name): value for name, value in opened.items()},
        materials=_materials(row, item),
    )


def _words(form: Form, row: Application) -> str:
    """Return what an application says, the personal fields by name."""
    return "、".join(
        ("申请表", *(form["fields"][one]["label"] for one in row.sealed if one in form["fields"]))
    )


def _first(form: Form, opened: Mapping[str, Any], kind: str) -> str:
    properties = form["schema"]["properties"]
    found = [value for name, value in opened.items() if properties[name].get("x-personal") == kind]
    return str(found[0]) if found else ""


def _materials(row: Application, item: ItemView) -> list[dict[str, str]]:
    return [
        {"code": one.code, "name": one.name, "handing": row.materials[one.code]}
        for one in item.content.materials
        if one.code in row.materials
    ]


def handed_files(application_id: int, *, body_id: int) -> list[FileView]:
    """Return the files of a case that its body has, the first first.

    Raises:
        NotFound: the body has no such case.
    """
    return attachments.files_of(_of_body(application_id, body_id), for_desk=True)


def hand_over_file(
    application_id: int,
    file_id: int,
    *,
    body_id: int,
    actor: str,
    by: str,
    store: BlobStore,
    now: datetime,
) -> tuple[FileView, bytes]:
    """Open a file of a case for the system of the body that decides; the applicant sees that it was.

    Raises:
        NotFound: the body has no such case, or the case no such file.
    """
    row = _of_body(application_id, body_id)
    found = attachments.open_file(row, file_id, thumb=False, store=store, for_desk=True)
    audit.record(actor, "application.file_read", "application", row.id, {"file": str(file_id)})
    identity.record_use(
        row.resident_id,
        what="上传的文件",
        by=by[:BY_MAX],
        purpose="送到办理单位的业务系统办理申请",
        case_number=row.number or "",
        now=now,
    )
    return found


def _of_body(application_id: int, body_id: int) -> Application:
    row = db.session().get(Application, application_id)
    if row is None or row.body_id != body_id or row.submitted_at is None:
        raise NotFound("没有这个办件")
    return row


def take_in(
    resident_id: int, item_id: int, *, channel: Channel, received_at: datetime, actor: str, now: datetime
) -> int:
    """Put down a case that a department took in at its own window; return its id.

    What the form would ask stays with the department, so the case has no answers here. The clock of
    intake begins on the day the department received it.

    Raises:
        NotFound: no such item.
        Conflict: it has no form, so that the hall cannot carry its cases.
    """
    item = catalogue.item(item_id)
    if item.form is None:
        raise Conflict("这个事项在大厅没有表单，不能归集办件")
    row = new_row(resident_id, item, None, variant="", channel=channel, now=now)
    row.number = free_number(item.region_code, channel, received_at)
    row.submitted_at, row.expires_on = received_at, None
    moving.start_intake(row, received_at)
    moving.make_move(
        row, Event.SUBMIT, Who.RESIDENT, actor=actor, now=received_at, text=f"在{item.body_name}窗口提交。"
    )
    telling.tell(row, item, telling.SUBMITTED, now, at=received_at)
    return row.id
