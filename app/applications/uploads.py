"""What applicants do with files of their cases, and what the desk sees of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from app.applications import attachments
from app.applications.attachments import FileView, Sealed
from app.applications.blobs import BlobStore
from app.applications.domain import FileNotWanted, State
from app.applications.models import Application
from app.applications.own import actor_of, materials_of, open_notice
from app.applications.parties import party_locked, party_row
from app.applications.scanning import Scanner
from app.catalogue import service as catalogue
from app.core import audit, db
from app.core.access import Permission
from app.core.clock import day_of
from app.core.errors import Forbidden, NotFound
from app.identity import service as identity
from app.organisations import service as organisations
from app.organisations.service import Principal


def upload(
    resident_id: int,
    application_id: int,
    material: str,
    key: str,
    read: Callable[[], bytes],
    *,
    store: BlobStore,
    scanner: Scanner,
    now: datetime,
) -> FileView:
    """Take a file in for a material: into a draft, or for a supplement that asks for it.

    Runs its own transaction at the end: the file is looked at and scanned before, which takes seconds.

    Args:
        key: the client's own name for this upload; sent again it is the same file.
        read: returns the content; asked once it is known that the file is wanted.

    Raises:
        NotFound: no such case, or not theirs.
        FileNotWanted, TooManyFiles: not here, not now, not that many.
        FileRefused: it may not be kept; the kind says why.
        ScannerAway: it could not be scanned.
        KeyReused: the key came with another file before.
    """
    on = day_of(now)
    row = party_row(resident_id, application_id, on=on)
    if not _is_open(row):
        raise FileNotWanted
    content = read()
    known = attachments.known_file(row, material, key, attachments.digest_of(content))
    if known is not None:
        return known
    attachments.check_wanted(row, material)
    made = attachments.sealed(content, store=store, scanner=scanner)
    return db.transaction(lambda: _add(resident_id, application_id, material, key, made, now))


def _is_open(row: Application) -> bool:
    return row.state is State.DRAFT or row.state is State.SUPPLEMENT_DUE


def _add(
    resident_id: int, application_id: int, material: str, key: str, made: Sealed, now: datetime
) -> FileView:
    row = party_locked(resident_id, application_id, on=day_of(now))
    known = attachments.known_file(row, material, key, made.digest)
    if known is not None:
        return known
    attachments.check_wanted(row, material)
    if row.state is State.SUPPLEMENT_DUE and material not in materials_of(open_notice(row)):
        raise FileNotWanted("补正通知没有要求这份材料")
    actor = actor_of(resident_id)
    added = attachments.add(row, material, key, made, actor=actor, now=now)
    detail = {"material": material, "file": str(added.id), "scanned": added.scanned}
    audit.record(actor, "application.file_add", "application", row.id, detail)
    return added


def remove_file(resident_id: int, application_id: int, file_id: int, *, now: datetime) -> None:
    """Take a file away that the department does not have yet; nobody can open it from now on.

    Raises:
        NotFound: no such case or file, or not theirs.
        FileNotWanted: it was handed in.
    """
    row = party_locked(resident_id, application_id, on=day_of(now))
    attachments.remove(row, file_id)
    detail = {"file": str(file_id)}
    audit.record(actor_of(resident_id), "application.file_remove", "application", row.id, detail)


def my_file(
    resident_id: int, application_id: int, file_id: int, *, thumb: bool, store: BlobStore
) -> tuple[FileView, bytes]:
    """Return a file of one's case and its content; ``thumb``: its small picture.

    Raises:
        NotFound: no such case or file, or not theirs.
    """
    row = party_row(resident_id, application_id)
    return attachments.open_file(row, file_id, thumb=thumb, store=store)


def case_file(
    by: Principal, application_id: int, file_id: int, *, thumb: bool, store: BlobStore, now: datetime
) -> tuple[FileView, bytes]:
    """Return a file of a case to its desk; that it was opened is written down, for the person too.

    Small pictures show too little to be anybody's data, so that no line is written for them.

    Raises:
        NotFound: no such case or file in the caller's scope.
        Forbidden: the caller does not handle cases of this body.
    """
    row = db.session().get(Application, application_id)
    if row is None or row.submitted_at is None:
        raise NotFound("没有这个办件")
    if not organisations.covers(by, Permission.CASES_READ, row.body_id):
        raise NotFound("没有这个办件")
    if not thumb and not organisations.covers(by, Permission.CASES_HANDLE, row.body_id):
        raise Forbidden("只有办理单位的经办人员可以打开文件")
    found = attachments.open_file(row, file_id, thumb=thumb, store=store, for_desk=True)
    if not thumb:
        db.transaction(lambda: _note_opened(by, row, found[0], now))
    return found


def _note_opened(by: Principal, row: Application, file: FileView, now: datetime) -> None:
    item = catalogue.version(row.item_version_id)
    names = {one.code: one.name for one in item.content.materials}
    audit.record(by.actor, "application.file_read", "application", row.id, {"file": str(file.id)})
    identity.record_use(
        row.resident_id,
        what=names.get(file.material, "材料")[:40],
        by=item.body_name[:40],
        purpose="办理时查看上传的文件",
        case_number=row.number or "",
        now=now,
    )
