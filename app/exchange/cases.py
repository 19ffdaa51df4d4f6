"""Cases as a department's system knows them: its numbers, and where they stand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from app.applications import service as applications
from app.applications.service import CaseFacts
from app.core import db
from app.core.errors import NotFound
from app.exchange import systems
from app.exchange.domain import CASE_NUMBER
from app.exchange.models import ExchangeAlias, ExchangeCase, ExchangeSystem
from app.third_parties.service import Stage

SBLSH, YWLSH = "SBLSH", "YWLSH"
TEST_STEPS = 3
"""Steps of a case of the test environment: 承办, 审核, 批准."""


def locked_case(system: ExchangeSystem, stage: Stage, number: str, now: datetime) -> ExchangeCase:
    """Return a case by the system's number for writing, a new row for a number never heard of.

    The number of a case handed in to the hall names it too, where it is the system's to handle.

    Raises:
        NotFound: no number, or that of a case of somebody else.
    """
    if not CASE_NUMBER.fullmatch(number):
        raise NotFound("没有这个办件")
    found = by_number(system, stage, SBLSH, number)
    if found is None:
        found = _made(system, stage, number, now)
    query = select(ExchangeCase).where(ExchangeCase.id == found).with_for_update()
    return db.writing().scalars(query.execution_options(populate_existing=True)).one()


def by_number(system: ExchangeSystem, stage: Stage, field: str, number: str) -> int | None:
    """Return the id of the case that a system knows under a number."""
    query = select(ExchangeAlias.case_id).where(
        ExchangeAlias.system_id == system.id,
        ExchangeAlias.stage == stage,
        ExchangeAlias.field == field,
        ExchangeAlias.number == number,
    )
    return db.session().scalar(query)


def seen_case(system: ExchangeSystem, stage: Stage, number: str) -> ExchangeCase:
    """Return a case by the system's number for reading.

    Raises:
        NotFound: the system has sent nothing about it, and was sent nothing.
    """
    found = by_number(system, stage, SBLSH, number)
    if found is None:
        raise NotFound("没有这个办件")
    return db.session().get_one(ExchangeCase, found)


def numbers_of(case_id: int) -> list[str]:
    """Return the numbers of a case in its system, what the hall gave first."""
    query = select(ExchangeAlias.number).where(ExchangeAlias.case_id == case_id, ExchangeAlias.field == SBLSH)
    found = sorted(db.session().scalars(query))
    return sorted(found, key=lambda one: not applications.is_number(one))


def name_case(case: ExchangeCase, field: str, number: str) -> None:
    """Let a system know a case under one more number."""
    db.writing().add(
        ExchangeAlias(system_id=case.system_id, stage=case.stage, field=field, number=number, case_id=case.id)
    )
    db.writing().flush()


def case_of(system: ExchangeSystem, application_id: int, number: str, now: datetime) -> ExchangeCase:
    """Return the system's row of a case of the hall, a new one where there is none."""
    query = select(ExchangeCase).where(
        ExchangeCase.system_id == system.id, ExchangeCase.application_id == application_id
    )
    found = db.writing().scalar(query)
    if found is not None:
        return found
    _lock(system)
    return db.writing().scalar(query) or _new(system, Stage.PRODUCTION, number, application_id, now)


def facts_of(case: ExchangeCase, item_code: str) -> CaseFacts | None:
    """Return where a case stands; None while nobody applied."""
    if case.application_id is not None:
        return applications.facts_of(case.application_id)
    if case.state is None:
        return None
    return CaseFacts(
        id=case.id,
        number="",
        state=case.state,
        step=case.step,
        step_count=TEST_STEPS,
        on_the_spot=False,
        result_name="测试结果",
        item_code=item_code,
        item_name="测试事项",
        body_id=0,
        region_code="",
        moved_at=case.created_at,
    )


def handles(system: ExchangeSystem, facts: CaseFacts) -> bool:
    """Tell whether a case is the system's to handle: of its body, and no other system goes before it."""
    return facts.body_id == system.body_id and goes_first(system, facts.item_code)


def goes_first(system: ExchangeSystem, item_code: str) -> bool:
    """Tell whether a system handles an item of its body, and none that names the item does."""
    first = systems.handling(system.body_id, item_code)
    return first is not None and first.id == system.id


def _made(system: ExchangeSystem, stage: Stage, number: str, now: datetime) -> int:
    application_id = None
    if stage is Stage.PRODUCTION and applications.is_number(number):
        application_id = applications.id_by_number(number)
        if application_id is None or not handles(system, applications.facts_of(application_id)):
            raise NotFound("没有这个办件")
        return case_of(system, application_id, number, now).id
    # Whoever makes a case holds the system's row, so that two messages at once make one.
    _lock(system)
    return by_number(system, stage, SBLSH, number) or _new(system, stage, number, None, now).id


def _lock(system: ExchangeSystem) -> None:
    db.writing().execute(select(ExchangeSystem.id).where(ExchangeSystem.id == system.id).with_for_update())


def _new(
    system: ExchangeSystem, stage: Stage, number: str, application_id: int | None, now: datetime
) -> ExchangeCase:
    made = ExchangeCase(
        system_id=system.id, stage=stage, application_id=application_id, state=None, step=0, created_at=now
    )
    db.writing().add(made)
    db.writing().flush()
    name_case(made, SBLSH, number)
    return made
