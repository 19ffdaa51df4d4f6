"""Files of materials (附件): sealed, kept once per application, seen by the applicant and the desk only."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import exists, select, update

from app.applications.blobs import BlobStore
from app.applications.domain import (
    FILES_MAX,
    FILES_PER_MATERIAL_MAX,
    FileNotWanted,
    FileType,
    State,
    TooManyFiles,
)
from app.applications.looking import looked_into
from app.applications.models import Application, ApplicationFile
from app.applications.scanning import Scanner
from app.catalogue import service as catalogue
from app.catalogue.service import Handing
from app.core import db, vault
from app.core.errors import NotFound
from app.core.idempotency import KeyReused
from app.core.vault import VaultDamaged

SECRET_FIELD = "application.file"
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class FileView:
    """One file of a case.

    Attributes:
        width, height: pixels of a picture; ``page_count``: pages of a document. Else 0.
        scanned: a virus scanner has looked at it.
        sent: the department has it; else the applicant may still take it away.
    """

    id: int
    material: str
    type: FileType
    byte_count: int
    width: int
    height: int
    page_count: int
    scanned: bool
    sent: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file that was looked at, scanned and put away, not yet part of any case."""

    digest: str
    secret: bytes
    blob: str
    thumb: bytes
    type: FileType
    byte_count: int
    width: int
    height: int
    page_count: int
    scanned: bool


def digest_of(content: bytes) -> str:
    """Return what stands for the content that was sent, and says nothing without the vault's key."""
    return vault.blind_index(SECRET_FIELD, sha256(content).hexdigest())


def sealed(content: bytes, *, store: BlobStore, scanner: Scanner) -> Sealed:
    """Look at a file, scan it, seal it and put it away. Slow, and outside every transaction.

    What is not added to a case afterwards is noise that :func:`unwanted` finds.

    Raises:
        FileRefused: it may not be kept; the kind says why.
        ScannerAway: it could not be scanned.
    """
    looked = looked_into(content)
    scanned = scanner.scan(content)
    digest, secret = digest_of(content), AESGCM.generate_key(256)
    return Sealed(
        digest=digest,
        secret=secret,
        blob=store.put(_closed(secret, digest, "content", looked.content)),
        thumb=_closed(secret, digest, "thumb", looked.thumb) if looked.thumb else b"",
        type=looked.type,
        byte_count=len(looked.content),
        width=looked.width,
        height=looked.height,
        page_count=looked.page_count,
        scanned=scanned,
    )


def _closed(secret: bytes, digest: str, part: str, content: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(secret).encrypt(nonce, content, f"{part}|{digest}".encode())


def _opened(secret: bytes, digest: str, part: str, kept: bytes) -> bytes:
    try:
        return AESGCM(secret).decrypt(kept[:_NONCE_BYTES], kept[_NONCE_BYTES:], f"{part}|{digest}".encode())
    except (InvalidTag, ValueError):
        raise VaultDamaged from None


def check_wanted(row: Application, material: str) -> None:
    """Let pass a file for a material that may be uploaded now: into a draft, or as a supplement asks.

    Raises:
        FileNotWanted: this material is not uploaded here, or not now.
        TooManyFiles: there are as many as may be.
    """
    item = catalogue.version(row.item_version_id)
    known = {one.code for one in item.content.materials if Handing.UPLOAD in one.handings}
    if material not in known or not (row.state is State.DRAFT or row.state is State.SUPPLEMENT_DUE):
        raise FileNotWanted
    here = len(row.files.get(material, ()))
    if here >= FILES_PER_MATERIAL_MAX or sum(map(len, row.files.values())) >= FILES_MAX:
        raise TooManyFiles


def known_file(row: Application, material: str, key: str, digest: str) -> FileView | None:
    """Return the file that this upload made before: under the same key, or the same content.

    Raises:
        KeyReused: the key came with other content.
    """
    query = select(ApplicationFile).where(
        ApplicationFile.application_id == row.id,
        (ApplicationFile.key == key) | (ApplicationFile.digest == digest),
    )
    found = list(db.session().scalars(query))
    if any(one.key == key and (one.digest, one.material) != (digest, material) for one in found):
        raise KeyReused
    same = (one for one in found if one.material == material and one.digest == digest)
    return next((_view(row, one) for one in same), None)


def add(row: Application, material: str, key: str, made: Sealed, *, actor: str, now: datetime) -> FileView:
    """Make a file part of a case; content that the case has already is not kept twice."""
    twin = db.writing().scalars(
        select(ApplicationFile)
        .where(ApplicationFile.application_id == row.id, ApplicationFile.digest == made.digest)
        .limit(1)
    )
    same = twin.first()
    fresh = ApplicationFile(
        application_id=row.id,
        material=material,
        key=key,
        digest=made.digest,
        secret_token=same.secret_token if same else vault.seal(SECRET_FIELD, made.secret.hex()),
        blob=same.blob if same else made.blob,
        thumb=same.thumb if same else made.thumb,
        type=made.type,
        byte_count=same.byte_count if same else made.byte_count,
        width=made.width,
        height=made.height,
        page_count=made.page_count,
        scanned=made.scanned,
        actor=actor,
        created_at=now,
    )
    db.writing().add(fresh)
    db.writing().flush()
    row.files = {**row.files, material: [*row.files.get(material, ()), str(fresh.id)]}
    if row.state is State.DRAFT:
        row.materials = {**row.materials, material: Handing.UPLOAD.value}
    db.writing().flush()
    return _view(row, fresh)


def remove(row: Application, file_id: int) -> None:
    """Take a file away that the department does not have yet.

    Raises:
        NotFound: the case has no such file.
        FileNotWanted: it was handed in.
    """
    found = _one(row, file_id)
    if row.state is not State.DRAFT and _is_sent(row, found):
        raise FileNotWanted("已经提交的文件不能删除")
    _forget(row, [found])


def forget_all_but(row: Application, materials: Collection[str]) -> None:
    """Forget the files of every other material."""
    if set(row.files) <= set(materials):
        return
    query = select(ApplicationFile).where(
        ApplicationFile.application_id == row.id, ApplicationFile.material.not_in(materials)
    )
    _forget(row, list(db.writing().scalars(query)))


def hand_over(row: Application, now: datetime) -> None:
    """Give the department every file there is.

    Also one that came in while the handing-in waited, or from a server whose clock is ahead: the department
    has what is no younger than the last handing-in.
    """
    if row.files:
        younger = (ApplicationFile.application_id == row.id) & (ApplicationFile.created_at > now)
        db.writing().execute(update(ApplicationFile).where(younger).values(created_at=now))


def forget_unsent(row: Application) -> None:
    """Forget what was uploaded for a supplement that never came."""
    query = select(ApplicationFile).where(ApplicationFile.application_id == row.id)
    _forget(row, [one for one in db.writing().scalars(query) if not _is_sent(row, one)])


def _forget(row: Application, files: Iterable[ApplicationFile]) -> None:
    """Forget files: without the key in the vault nobody opens them; the blobs are cleared up later."""
    gone = {one.id: one for one in files}
    if not gone:
        return
    for one in gone.values():
        db.writing().delete(one)
    db.writing().flush()
    for blob, token in {(one.blob, one.secret_token) for one in gone.values()}:
        if not db.writing().scalar(select(exists().where(ApplicationFile.blob == blob))):
            vault.forget(token)
    kept = {code: [one for one in ids if int(one) not in gone] for code, ids in row.files.items()}
    row.files = {code: ids for code, ids in kept.items() if ids}


def copy_files(row: Application, linked: Application) -> None:
    """Give a second case the same files, sealed by the same keys."""
    query = select(ApplicationFile).where(ApplicationFile.application_id == row.id)
    made: dict[str, list[str]] = {}
    for one in db.writing().scalars(query.order_by(ApplicationFile.id)).all():
        values = {
            column.key: getattr(one, column.key)
            for column in ApplicationFile.__mapper__.column_attrs
            if column.key not in {"id", "application_id"}
        }
        fresh = ApplicationFile(application_id=linked.id, **values)
        db.writing().add(fresh)
        db.writing().flush()
        made.setdefault(one.material, []).append(str(fresh.id))
    linked.files = made


def files_of(row: Application, *, for_desk: bool = False) -> list[FileView]:
    """Return the files of a case, the first first; the desk does not see what was not handed in yet."""
    if not row.files:
        return []
    query = (
        select(ApplicationFile)
        .where(ApplicationFile.application_id == row.id)
        .order_by(ApplicationFile.created_at, ApplicationFile.id)
    )
    found = [_view(row, one) for one in db.session().scalars(query)]
    return [one for one in found if one.sent or not for_desk]


def open_file(
    row: Application, file_id: int, *, thumb: bool, store: BlobStore, for_desk: bool = False
) -> tuple[FileView, bytes]:
    """Return a file of a case and its content, or its small picture.

    Raises:
        NotFound: the case has no such file, or it is not the desk's yet, or has no small picture.
        VaultDamaged: it does not open.
    """
    found = _one(row, file_id)
    if for_desk and not _is_sent(row, found):
        raise NotFound("没有这个文件")
    if thumb and not found.thumb:
        raise NotFound("文件没有缩略图")
    secret = bytes.fromhex(vault.unseal(SECRET_FIELD, found.secret_token))
    kept = found.thumb if thumb else store.get(found.blob)
    return _view(row, found), _opened(secret, found.digest, "thumb" if thumb else "content", kept)


def unwanted(addresses: Collection[str]) -> list[str]:
    """Return those addresses in the store that no case refers to."""
    query = select(ApplicationFile.blob).where(ApplicationFile.blob.in_(addresses))
    known = set(db.session().scalars(query))
    return [one for one in addresses if one not in known]


def _one(row: Application, file_id: int) -> ApplicationFile:
    found = db.session().get(ApplicationFile, file_id)
    if found is None or found.application_id != row.id:
        raise NotFound("没有这个文件")
    return found


def _is_sent(row: Application, one: ApplicationFile) -> bool:
    return row.received_at is not None and one.created_at <= row.received_at


def _view(row: Application, one: ApplicationFile) -> FileView:
    return FileView(
        id=one.id,
        material=one.material,
        type=one.type,
        byte_count=one.byte_count,
        width=one.width,
        height=one.height,
        page_count=one.page_count,
        scanned=one.scanned,
        sent=_is_sent(row, one),
        created_at=one.created_at,
    )
