"""Papers as their desk reads them: they carry the applicant's name in clear, so each reading is told."""

from __future__ import annotations

from datetime import datetime

from app.applications.desk import case_for
from app.applications.models import Application
from app.applications.papers import UNNAMED, Paper, paper, printed
from app.catalogue import service as catalogue
from app.core import audit, db
from app.identity import service as identity
from app.organisations.service import Principal


def paper_for(by: Principal, application_id: int, paper_id: int, *, now: datetime) -> Paper:
    """Return a paper to its desk; that it was read is written down, for the applicant too.

    Raises:
        NotFound: no such case in the caller's scope, or the case has no such paper.
        VaultDamaged: it is not as it was issued.
    """
    case_for(by, application_id, now=now)
    found = paper(application_id, paper_id)
    _note_read(by, found, now)
    return found


def printed_for(by: Principal, application_id: int, paper_id: int, *, now: datetime) -> bytes | None:
    """Return the PDF of a paper to its desk, as :func:`paper_for`; None while it is not made.

    Raises:
        NotFound, VaultDamaged: see :func:`paper_for`.
    """
    case_for(by, application_id, now=now)
    made = printed(application_id, paper_id)
    if made is not None:
        _note_read(by, paper(application_id, paper_id), now)
    return made


def _note_read(by: Principal, found: Paper, now: datetime) -> None:
    audit.record(by.actor, "application.paper_read", "application_document", found.id)
    row = db.session().get_one(Application, found.application_id)
    if row.enterprise_id is not None or found.name == UNNAMED:
        return  # it names no person
    identity.record_use(
        row.resident_id,
        what=f"姓名（{found.content['title']}）",
        by=catalogue.version(row.item_version_id).body_name[:80],
        purpose="查看或打印文书",
        case_number=row.number or "",
        now=now,
    )
