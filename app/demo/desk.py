"""The demo's desk of cases: a decision that waits for a second person, and a case past its promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.applications import service as applications
from app.applications.service import Channel, Event, Told
from app.catalogue import service as catalogue
from app.core.citizen_number import check_character
from app.core.clock import day_of
from app.core.working_time import calendar
from app.organisations import service as organisations
from app.organisations.service import Role

_NUMBER = "44539919900307001"  # from a range that was never assigned
_PERSON = {
    "name": "陈样例",
    "id_number": _NUMBER + check_character(_NUMBER),
    "phone": "13800000000",
    "truthful": True,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A case of the demo.

    Attributes:
        by: whose account takes the steps; ``over``: working days that the promise is over, None for not.
    """

    code: str
    body: str
    by: Role
    events: tuple[Event, ...]
    answers: Mapping[str, Any]
    materials: Mapping[str, str] = field(default_factory=dict)
    over: int | None = None


SAMPLES = (
    # The city's operator proposes, the district's or the body's head decides.
    Sample(
        code="HJ011",
        body="广州市天河区人民政府",
        by=Role.CITY_OPERATOR,
        events=(Event.ACCEPT, Event.BEGIN, Event.DECIDE),
        answers={"who": "adult", "new_name": "陈新样", "why": "与同事同名，常被混淆"},
    ),
    Sample(
        code="JT001",
        body="省公安厅",
        by=Role.DEPARTMENT_OPERATOR,
        events=(Event.ACCEPT, Event.BEGIN),
        answers={"class": "c1", "expires_on": "2027-01-31", "delivery": "pick_up"},
        materials={"m2": "paper"},
        over=1,
    ),
)


def show_cases(resident_id: int, now: datetime) -> int:
    """Let a resident apply for what the desk shows, and take each case so far; return how many were new.

    Needs the demo's accounts of staff; a case that is there already stays as people made it.
    """
    return sum(_show(resident_id, one, now) for one in SAMPLES)


def _show(resident_id: int, sample: Sample, now: datetime) -> bool:
    directory_id = catalogue.find_directory(catalogue.OUR_SCHEME, sample.code)
    places = catalogue.places_of(directory_id) if directory_id is not None else []
    item_id = next((one.id for one in places if one.body_name == sample.body), None)
    body = organisations.find_body(sample.body)
    known = applications.mine(resident_id, body_id=body.id, limit=100).items
    if item_id is None or any(one.item_id == item_id for one in known):
        return False
    username = f"demo-{sample.by.value.replace('_', '-')}"
    by = organisations.principal_of(organisations.find_staff(username).id)
    at = now if sample.over is None else _long_ago(item_id, sample.over, now)
    answers = {**_PERSON, **sample.answers}
    case_id = applications.apply_with(
        resident_id, item_id, answers, sample.materials, channel=Channel.WECHAT, now=at
    )
    for event in sample.events:
        version = applications.case_for(by, case_id, now=at).version
        told = Told(version=version, granted=True if event is Event.DECIDE else None)
        applications.step(by, case_id, event, told, now=at)
    return True


def _long_ago(item_id: int, over: int, now: datetime) -> datetime:
    """Return when a case came in whose promise is over by so many working days."""
    days, today = calendar(), day_of(now)
    back = catalogue.item(item_id).content.promised_days + over
    return now - (today - days.at_place(days.place(today) - back))
