"""What applications hold of a resident, as counts; and which cases are their own."""

from __future__ import annotations

from collections.abc import Collection

from flask import url_for
from sqlalchemy import Select, func, select

from app.applications.domain import State
from app.applications.models import Application, ApplicationFile
from app.core import db
from app.core.own_data import Held
from app.identity import service as identity

MINE = "applications_pages.mine"


def held(resident_id: int) -> list[Held]:
    """Return how many drafts, cases and files there are of a resident, merged accounts included."""
    own = Application.resident_id.in_(identity.accounts_of(resident_id))
    drafts = select(func.count()).where(own, Application.state == State.DRAFT)
    cases = select(func.count()).where(own, Application.submitted_at.is_not(None))
    files = (
        select(func.count(ApplicationFile.id))
        .join(Application, Application.id == ApplicationFile.application_id)
        .where(own)
    )
    typed = "您在申请里填写和上传"
    return [
        Held("drafts", "草稿", count=_number(drafts), source=typed, endpoint=MINE),
        Held("cases", "办件", count=_number(cases), source=typed, endpoint=MINE),
        Held("files", "上传的文件", count=_number(files), source=typed, endpoint=MINE),
    ]


def _number(query: Select[int]) -> int:
    return db.session().scalars(query).one()


def case_paths(resident_id: int, numbers: Collection[str]) -> dict[str, str]:
    """Return the pages of those cases among ``numbers`` that are the resident's own, by number."""
    query = select(Application.number, Application.id).where(
        Application.number.in_(numbers), Application.resident_id.in_(identity.accounts_of(resident_id))
    )
    return {
        number: url_for("applications_pages.case", application_id=one)
        for number, one in db.session().execute(query)
        if number is not None
    }
