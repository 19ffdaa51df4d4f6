"""Opening a sub-case: its own form filled from the one form, and from the results of earlier items."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.applications import service as applications
from app.applications.service import AnswersRefused, ItemClosed, Standing
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.themes import sealing, telling
from app.themes.domain import PartStatus
from app.themes.made import Made
from app.themes.models import ThemeApplication, ThemePart

_TRIES = 3


def open_part(
    row: ThemeApplication, made: Made, part: ThemePart, feeding: Mapping[str, Standing], now: datetime
) -> bool:
    """Open the sub-case of a part whose turn it is; return False when it could not be opened now.

    Where the item asks for more by now than was filled in, for files, or has not the variant any more, the
    sub-case begins as a draft that the applicant completes.
    """
    answers = sealing.opened(row, made.merged.form)
    own = {**made.projection(part.item, answers), **_fed(made, part.item, feeding)}
    materials = made.materials(part.item, answers, row.materials)
    view = made.views[part.item]
    try:
        with db.writing().begin_nested():
            part.application_id = applications.apply_with(
                row.resident_id,
                view.id,
                own,
                materials,
                variant=made.variant(part.item, answers),
                channel=row.channel,
                now=now,
            )
        part.status, part.reason = PartStatus.OPEN, ""
    except Invalid as refused:
        if not _begin_draft(row, view.id, part, own, materials, refused, now):
            return False
        telling.tell_part_waits(row, made, part.item, now)
    except ItemClosed:
        part.reason = "暂停办理，恢复后自动提交"
        return False
    except NotFound:
        part.status, part.reason, part.ended_at = PartStatus.RETURNED, "已不再办理", now
        return False
    part.opened_at = now
    db.writing().flush()
    return True


def _fed(made: Made, item: str, feeding: Mapping[str, Standing]) -> dict[str, str]:
    """Return the fields that the results of earlier items fill."""
    form, found = made.forms[item], {}
    for one in made.merged.feeds:
        result = feeding[one.item].result if one.item in feeding else None
        if one.other == item and one.field and result:
            longest = form["schema"]["properties"][one.field]["maxLength"]
            found[one.field] = (result.get("number") or result.get("name") or "")[:longest]
    return found


def _begin_draft(
    row: ThemeApplication,
    item_id: int,
    part: ThemePart,
    answers: Mapping[str, Any],
    materials: Mapping[str, str],
    refused: Invalid,
    now: datetime,
) -> bool:
    try:
        with db.writing().begin_nested():
            # Beside a draft that the person began alone: that one is not the theme's to fill in or give up.
            draft_id = applications.start_draft(
                row.resident_id, item_id, beside=True, channel=row.channel, now=now
            ).id
    except Conflict as error:
        part.reason = str(error)
        return False
    _fill(row, draft_id, dict(answers), dict(materials), now)
    words = "；".join(word for told in refused.fields.values() for word in told)
    part.application_id, part.status = draft_id, PartStatus.NEEDS_APPLICANT
    part.reason = words[:500]
    return True


def _fill(
    row: ThemeApplication, draft_id: int, answers: dict[str, Any], materials: dict[str, str], now: datetime
) -> None:
    """Put into a draft what fits; what is refused is left to the applicant."""
    for _ in range(_TRIES):
        version = applications.standings([draft_id])[draft_id].version
        try:
            with db.writing().begin_nested():
                applications.save_draft(
                    row.resident_id, draft_id, answers, materials=materials, version=version, now=now
                )
            return
        except AnswersRefused as refused:
            for name in refused.fields:
                answers.pop(name, None)
                materials.pop(name.removeprefix("materials."), None)
