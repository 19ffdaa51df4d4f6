"""What residents choose for all their devices: language, edition, place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from app.core import db
from app.core.errors import Invalid
from app.core.viewing import Choice
from app.organisations import service as organisations
from app.organisations.service import RegionView
from app.portal.models import ResidentSetting


def choice_of(resident_id: int) -> Choice:
    """Return what a resident chose; nothing for who never did."""
    row = db.session().get(ResidentSetting, resident_id)
    return Choice(row.language, row.edition, row.region_code) if row else Choice()


def choose(resident_id: int, choice: Choice, *, now: datetime) -> None:
    """Keep ``choice`` for a resident; what it leaves open stays as it was.

    Raises:
        Invalid: there is no such place.
    """
    check_place(choice)
    row = db.writing().get(ResidentSetting, resident_id)
    if row is None:
        db.writing().add(row := ResidentSetting(resident_id=resident_id))
    whole = choice.over(Choice(row.language, row.edition, row.region_code))
    row.language, row.edition, row.region_code = whole.language, whole.edition, whole.region
    row.changed_at = now
    db.writing().flush()


def check_place(choice: Choice) -> None:
    """Let a choice pass whose place there is.

    Raises:
        Invalid: there is no such place.
    """
    if choice.region and place(choice.region) is None:
        raise Invalid("没有这个地区")


def place(code: str) -> RegionView | None:
    """Return a region by its code; None for an unknown one."""
    return next((region for region in organisations.regions() if region.code == code), None)


def place_name(code: str) -> str:
    """Return a place as people say it, e.g. 广州市越秀区; ``""`` for an unknown one."""
    regions = {region.code: region for region in organisations.regions()}
    found = regions.get(code)
    if found is None:
        return ""
    above = regions.get(found.parent_code or "")
    return found.name if above is None or above.parent_code is None else f"{above.name}{found.name}"


def near(code: str) -> tuple[str, ...]:
    """Return the regions whose services are for somebody in a place: it, those above, those within it.

    Nothing, which is everywhere, for the province and for an unknown place.
    """
    regions = {region.code: region for region in organisations.regions()}
    found = regions.get(code)
    if found is None or found.parent_code is None:
        return ()
    codes: list[str] = [code]
    above: str | None = found.parent_code
    while above is not None:
        codes.append(above)
        above = regions[above].parent_code
    return (*codes, *(one.code for one in regions.values() if one.parent_code == code))


def forget_resident(payload: Mapping[str, Any]) -> None:
    """Forget what somebody chose who closed the account."""
    resident_id = int(payload["resident_id"])
    db.transaction(
        lambda: db.writing().execute(
            delete(ResidentSetting).where(ResidentSetting.resident_id == resident_id)
        )
    )
