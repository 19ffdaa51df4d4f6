"""Annex 3 of the notice: which bodies and cities are connected to the mobile edition, and since when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import func, select

from app.core import clock, db
from app.mobile_access.models import MobilePage
from app.mobile_access.shapes import ScheduleRow
from app.organisations import service as organisations
from app.organisations.service import BodyView

ANNEX = 3
_CITY_DIGITS = 4  # GB/T 2260: the first four of six digits name the city


def schedule_state(*, today: date) -> list[ScheduleRow]:
    """Return every body and city of annex 3, in the notice's order.

    Source: 粤办函〔2016〕186号 附件3.
    """
    bodies = {body.id: body for body in organisations.bodies()}
    firsts = _first_online()
    served = set(
        db.session().scalars(select(MobilePage.body_id).where(MobilePage.served.is_(True)).distinct())
    )
    rows = []
    for batch in organisations.schedule(ANNEX):
        for member_id in batch.members:
            member = bodies[member_id]
            counted = [body.id for body in _counted(member, bodies.values())]
            first = min((firsts[body_id] for body_id in counted if body_id in firsts), default=None)
            first_on = clock.day_of(first) if first else None
            met = any(body_id in served for body_id in counted)
            rows.append(
                ScheduleRow(
                    batch=batch.batch,
                    label=batch.label,
                    deadline=batch.deadline,
                    body_id=member.id,
                    body_name=member.full_name,
                    region_code=member.region_code,
                    met=met,
                    first_online_on=first_on,
                    late=_late(batch.deadline, first_on, today),
                )
            )
    return rows


def _counted(member: BodyView, bodies: Iterable[BodyView]) -> list[BodyView]:
    """Return whose pages count for ``member``: its own; for a city, those of every body there."""
    if member.level != "city":
        return [member]
    city = member.region_code[:_CITY_DIGITS]
    return [body for body in bodies if body.region_code[:_CITY_DIGITS] == city]


def _late(deadline: date | None, first_on: date | None, today: date) -> bool:
    return deadline is not None and (first_on or today) > deadline


def _first_online() -> dict[int, datetime]:
    query = (
        select(MobilePage.body_id, func.min(MobilePage.first_online_at))
        .where(MobilePage.first_online_at.is_not(None))
        .group_by(MobilePage.body_id)
    )
    return {body_id: first for body_id, first in db.session().execute(query) if first is not None}
