"""“用我的资料填写”: answers that the hall knows already, each with its source; only when the person asks.

Nothing that the person typed is written over, and every answer taken from elsewhere is written down as
a use of the person's data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.applications import moving, sealing
from app.applications.domain import State
from app.applications.drafts import draft_locked
from app.applications.models import Application
from app.applications.own import actor_of
from app.applications.views import form_of
from app.catalogue import service as catalogue
from app.catalogue.service import Form
from app.core import audit, db, vault
from app.core.clock import HALL_TIME, day_of
from app.identity import service as identity

FORMER_MAX = 10
"""So many of one's latest applications are looked through."""

_PERSON = {"name": "name", "id_number": "id_number", "phone": "phone"}
"""Common fields that ask for the applicant's own data, and the kind of personal data each is."""

_ENTERPRISE = frozenset({"organisation", "enterprise_name"})


@dataclass(frozen=True, slots=True)
class Known:
    """An answer that the hall knows; ``kind`` is where from, ``text`` says it to the person."""

    value: Any
    kind: str
    text: str
    on: str


@dataclass(frozen=True, slots=True)
class Prefilled:
    """What prefilling led to: the new version, and the fields that were filled in."""

    version: int
    filled: list[str]


def prefill(resident_id: int, application_id: int, *, version: int, now: datetime) -> Prefilled:
    """Fill the empty fields of a draft with what the hall knows of the person who asks for it.

    One's own draft: verified name and number, the phone, then one's own former applications. A draft
    made for an enterprise: what the enterprise is registered with. A draft made for another person:
    nothing, for it is not the agent's to see.

    Raises:
        NotFound: not theirs.
        MoveNotAllowed: it is submitted already.
        Stale: another device saved meanwhile.
    """
    row = draft_locked(resident_id, application_id, now=now)
    moving.check_version(row, version)
    form = form_of(row)
    filled: list[str] = []
    for name, known in _known(row, resident_id, form):
        visible = catalogue.visible_fields(form, row.answers)
        empty = name not in row.answers and name not in row.sealed
        if not empty or name not in visible or catalogue.shape_problems(form, {name: known.value}):
            continue
        sealing.put(row, form, name, known.value)
        row.sources = {**row.sources, name: {"from": known.kind, "text": known.text, "on": known.on}}
        filled.append(name)
    if filled:
        row.version += 1
        row.saved_at, row.fits_on = now, None
        _write_down(row, resident_id, form, filled, now)
        db.writing().flush()
    return Prefilled(row.version, filled)


def _write_down(row: Application, resident_id: int, form: Form, filled: list[str], now: datetime) -> None:
    labels = "、".join(form["fields"][name]["label"] for name in filled)
    identity.record_use(
        resident_id,
        what=labels[:120],
        by="您本人",
        purpose=f"填写“{catalogue.version(row.item_version_id).content.name}”"[:200],
        case_number=row.number or "",
        now=now,
    )
    detail = {"fields": filled}
    audit.record(actor_of(resident_id), "application.prefill", "application", row.id, detail)


def _known(row: Application, resident_id: int, form: Form) -> Iterator[tuple[str, Known]]:
    """Yield fields and what is known for them, the surest source first."""
    if row.enterprise_id is not None:
        yield from _of_enterprise(row.enterprise_id, form, row.created_at)
    elif row.agent_id is None:
        yield from _of_person(resident_id, form)
        yield from _of_former(row, resident_id, form)


def _of_person(resident_id: int, form: Form) -> Iterator[tuple[str, Known]]:
    person, real = identity.person_of(resident_id), identity.real_name(resident_id)
    if person is not None and real is not None:
        day = day_of(person.verified_at)
        told = f"来自您 {day.year}年{day.month}月{day.day}日的实名认证"
        values = {"name": real.name, "id_number": real.number}
        for name, value in values.items():
            if _asks_for(form, name):
                yield name, Known(value, "person", told, day.isoformat())
    token = identity.phone_token(resident_id)
    if token is not None and _asks_for(form, "phone"):
        number = vault.unseal(identity.PHONE_FIELD, token)
        yield "phone", Known(number, "phone", "来自您留给大厅的手机号码", "")


def _asks_for(form: Form, name: str) -> bool:
    told = form["schema"]["properties"].get(name, {})
    return bool(told.get("x-personal") == _PERSON[name])


def _of_enterprise(enterprise_id: int, form: Form, at: datetime) -> Iterator[tuple[str, Known]]:
    real = identity.enterprise_name(enterprise_id)
    day = day_of(at).isoformat()
    for name in _ENTERPRISE & set(form["schema"]["properties"]):
        yield name, Known(real.name, "enterprise", "来自企业登记信息", day)
    if "uscc" in form["schema"]["properties"]:
        yield "uscc", Known(real.uscc, "enterprise", "来自企业登记信息", day)


def _of_former(row: Application, resident_id: int, form: Form) -> Iterator[tuple[str, Known]]:
    """Yield what the same question was answered with before; statements are made anew each time."""
    query = (
        select(Application)
        .where(
            Application.resident_id.in_(identity.accounts_of(resident_id)),
            Application.agent_id.is_(None),
            Application.submitted_at.is_not(None),
            Application.forgotten_at.is_(None),
            Application.state != State.VOIDED,
            Application.id != row.id,
        )
        .order_by(Application.created_at.desc())
        .limit(FORMER_MAX)
    )
    properties = form["schema"]["properties"]
    for former in db.session().scalars(query).all():
        before = form_of(former)
        same = _same_questions(properties, before["schema"]["properties"])
        if same.isdisjoint({*former.answers, *former.sealed}) or former.submitted_at is None:
            continue
        at = former.submitted_at.astimezone(HALL_TIME)
        item = catalogue.version(former.item_version_id).content.name
        told = f"来自您 {at.year}年{at.month}月的“{item}”"
        for name, value in sealing.opened(former, before).items():
            if name in same:
                yield name, Known(value, "former", told, at.date().isoformat())


def _same_questions(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    return {name for name, told in one.items() if told["type"] != "boolean" and other.get(name) == told}
