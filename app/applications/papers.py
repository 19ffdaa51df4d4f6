"""Papers of a case (文书): fixed word for word when a step issues them, printed as often as needed."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from app.applications.desk_domain import DOCUMENT_LABELS, DocumentKind
from app.applications.desk_models import ApplicationDocument
from app.applications.domain import Event
from app.applications.models import Application, ApplicationEvent
from app.applications.views import form_of
from app.catalogue import service as catalogue
from app.catalogue.service import Form, ItemType, ItemView
from app.core import audit, db, outbox, vault
from app.core.clock import HALL_TIME, day_of
from app.core.errors import NotFound
from app.core.vault import VaultDamaged
from app.identity import service as identity

PRINT_JOB = "applications.print-paper"
NAME_FIELD = "application.paper_name"
SECRET_FIELD = "application.paper"
UNNAMED = "申请人"
_NONCE_BYTES = 12

KINDS: Mapping[Event, DocumentKind] = {
    Event.ACCEPT: DocumentKind.ACCEPTANCE,
    Event.DEEM_ACCEPT: DocumentKind.ACCEPTANCE,
    Event.REFUSE: DocumentKind.REFUSAL,
    Event.ASK_SUPPLEMENT: DocumentKind.SUPPLEMENT,
    Event.EXTEND: DocumentKind.EXTENSION,
    Event.SPECIAL_BEGIN: DocumentKind.SPECIAL,
    Event.DECIDE: DocumentKind.DECISION,
    Event.DECIDE_ON_SPOT: DocumentKind.DECISION,
    Event.SUPPLEMENT_OVERDUE: DocumentKind.RETURNED,
}
"""Which paper a step issues."""

_LICENSING_LAW: Mapping[DocumentKind, str] = {
    DocumentKind.ACCEPTANCE: "《中华人民共和国行政许可法》第三十二条",
    DocumentKind.REFUSAL: "《中华人民共和国行政许可法》第三十二条",
    DocumentKind.SUPPLEMENT: "《中华人民共和国行政许可法》第三十二条第一款第四项",
    DocumentKind.EXTENSION: "《中华人民共和国行政许可法》第四十二条",
    DocumentKind.SPECIAL: "《中华人民共和国行政许可法》第四十五条",
    DocumentKind.DECISION: "《中华人民共和国行政许可法》第三十八条",
}


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A paper as a list shows it; ``printed``: its PDF is ready."""

    id: int
    kind: DocumentKind
    title: str
    number: str
    issued_at: datetime
    printed: bool


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper whole.

    Attributes:
        name: of whom it is for.
        content: ``title``, ``body_name``, ``item``, ``case_number``, ``texts``, ``items``, ``law``,
            ``remedy``, ``hotline``, ``issued_on``.
        digest: of name and content, SHA-256 in hex.
    """

    id: int
    application_id: int
    number: str
    name: str
    content: Mapping[str, Any]
    digest: str
    issued_at: datetime


def issue(row: Application, event: ApplicationEvent) -> None:
    """Write down the paper that a step issues; nothing for steps that issue none."""
    kind = KINDS.get(event.event)
    if kind is None or row.number is None:
        return
    item = catalogue.version(row.item_version_id)
    name = _applicant(row, form_of(row))
    content = _content(row, item, kind, event)
    paper = ApplicationDocument(
        application_id=row.id,
        event_number=event.number,
        kind=kind,
        number=f"{row.number}-{kind.value}{event.number}",
        content=content,
        name_token=vault.seal(NAME_FIELD, name),
        digest=_digest(name, content),
        issued_by=event.actor,
        issued_at=event.at,
    )
    db.writing().add(paper)
    db.writing().flush()


def _applicant(row: Application, form: Form) -> str:
    if row.enterprise_id is not None:
        return identity.enterprise(row.enterprise_id).name
    properties = form["schema"]["properties"]
    for name in catalogue.field_order(form):
        if name in row.sealed and properties[name].get("x-personal") == "name":
            return vault.unseal("application.name", row.sealed[name])
    return UNNAMED


def _digest(name: str, content: Mapping[str, Any]) -> str:
    words = json.dumps([name, content], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()


def _content(row: Application, item: ItemView, kind: DocumentKind, event: ApplicationEvent) -> dict[str, Any]:
    licensing = item.item_type is ItemType.LICENSING
    law = [_LICENSING_LAW[kind]] if licensing and kind in _LICENSING_LAW else []
    if kind is DocumentKind.DECISION:
        law += [f"《{one.name}》{one.clause}" for one in item.legal_basis]
    return {
        "title": _title(row, kind),
        "body_name": item.body_name,
        "item": item.content.name,
        "case_number": row.number,
        "texts": _texts(row, item, kind, event),
        "items": [one["text"] for one in event.detail.get("items", [])],
        "law": law,
        "remedy": row.remedy if kind in _WITH_REMEDY else "",
        "hotline": item.content.hotline,
        "issued_on": _day(day_of(event.at)),
        "sample": item.sample,
    }


_WITH_REMEDY = frozenset({DocumentKind.REFUSAL, DocumentKind.DECISION, DocumentKind.RETURNED})


def _title(row: Application, kind: DocumentKind) -> str:
    if kind is DocumentKind.DECISION:
        return "准予决定书" if row.granted else "不予决定书"
    return DOCUMENT_LABELS[kind]


def _texts(row: Application, item: ItemView, kind: DocumentKind, event: ApplicationEvent) -> list[str]:
    """Return the paragraphs of a paper."""
    assert row.submitted_at is not None
    name, detail = item.content.name, event.detail
    begin = f"你（单位）于{_day(day_of(row.submitted_at))}提出的“{name}”申请"
    match kind:
        case DocumentKind.ACCEPTANCE:
            first = f"{begin}，经审查，决定予以受理。"
            if event.event is Event.DEEM_ACCEPT and row.received_at is not None:
                first = (
                    f"{begin}，本机关逾期没有告知，自{_day(day_of(row.received_at))}收到申请之日起即为受理。"
                )
            return [first, *_limits(row)]
        case DocumentKind.REFUSAL:
            return [f"{begin}，经审查，决定不予受理。", f"理由：{row.reason}"]
        case DocumentKind.SUPPLEMENT:
            due = f"请在{_day(row.supplement_due_on)}前补正" if row.supplement_due_on else "请补正"
            return [f"{begin}，经审查，需要补正。{due}以下全部内容，逾期没有补正的将作退件处理："]
        case DocumentKind.EXTENSION:
            why = f"理由：{detail.get('reason', '')}"
            days = f"经本行政机关负责人批准，延长 {detail['days']} 个工作日。"
            more = f"{begin}，因不能在规定期限内作出决定，{days}"
            return [more, why, *_limits(row)]
        case DocumentKind.SPECIAL:
            ends = _day(date.fromisoformat(detail["expected_on"]))
            return [
                f"{begin}，需要进行“{detail['kind']}”，所需时间不计入办理期限，预计{ends}结束。",
                f"理由：{detail.get('reason', '')}",
            ]
        case DocumentKind.DECISION:
            if row.granted:
                return [f"{begin}，经审查，符合规定的条件，决定准予。"]
            return [f"{begin}，经审查，决定不予。", f"理由：{row.reason}"]
        case DocumentKind.RETURNED:
            return [f"{begin}，因逾期没有补正，现作退件处理。", "补齐后可以重新申请。"]


def _limits(row: Application) -> list[str]:
    found = []
    if row.promise_due_on is not None:
        found.append(f"承诺办结期限：{_day(row.promise_due_on)}。")
    if row.lawful_due_on is not None:
        found.append(f"法定办结期限：{_day(row.lawful_due_on)}。")
    return found


def _day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"


def papers_of(application_id: int) -> list[PaperLine]:
    """Return the papers of a case, the first first."""
    columns = (
        ApplicationDocument.id,
        ApplicationDocument.kind,
        ApplicationDocument.content,
        ApplicationDocument.number,
        ApplicationDocument.issued_at,
        ApplicationDocument.paper_token,
    )
    query = (
        select(*columns)
        .where(ApplicationDocument.application_id == application_id)
        .order_by(ApplicationDocument.event_number)
    )
    return [
        PaperLine(
            row.id, row.kind, row.content["title"], row.number, row.issued_at, row.paper_token is not None
        )
        for row in db.session().execute(query)
    ]


def paper(application_id: int, paper_id: int) -> Paper:
    """Return a paper of a case as it was issued.

    Raises:
        NotFound: the case has no such paper.
        VaultDamaged: it is not as it was issued.
    """
    row = _row(application_id, paper_id)
    name = vault.unseal(NAME_FIELD, row.name_token) if row.name_token else UNNAMED
    if _digest(name, row.content) != row.digest:
        raise VaultDamaged
    return Paper(row.id, row.application_id, row.number, name, row.content, row.digest, row.issued_at)


def _row(application_id: int, paper_id: int) -> ApplicationDocument:
    row = db.session().get(ApplicationDocument, paper_id)
    if row is None or row.application_id != application_id:
        raise NotFound("没有这份文书")
    return row


def forget_names(application_id: int) -> None:
    """Forget for whom the papers of a case were, and their prints; what was decided stays to be read."""
    of_case = select(ApplicationDocument).where(
        ApplicationDocument.application_id == application_id, ApplicationDocument.name_token.is_not(None)
    )
    for row in db.writing().scalars(of_case):
        assert row.name_token is not None
        if _digest(vault.unseal(NAME_FIELD, row.name_token), row.content) == row.digest:
            # Without the name the old digest says nothing; of a paper that was tampered with it goes on to.
            row.digest = _digest(UNNAMED, row.content)
        vault.forget(row.name_token)
        if row.paper_token is not None:
            vault.forget(row.paper_token)
        row.name_token = row.paper = row.paper_token = None
    db.writing().flush()


def ask_print(application_id: int, paper_id: int, *, actor: str, now: datetime) -> None:
    """Have the PDF of a paper made in the background; once, unless that failed.

    Raises:
        NotFound: the case has no such paper.
    """
    row = _row(application_id, paper_id)
    audit.record(actor, "application.print", "application_document", row.id)
    if row.paper_token is None:
        row.asked_at = now
        payload = {"application_id": str(application_id), "paper_id": str(paper_id)}
        # Once an hour: a print that failed for good, or was forgotten, may be asked for again.
        outbox.enqueue(PRINT_JOB, payload, dedup_key=f"{PRINT_JOB}:{paper_id}:{now:%Y%m%d%H}")


def keep_print(application_id: int, paper_id: int, pdf: bytes) -> None:
    """Keep the PDF of a paper, encrypted; the first one stays."""
    row = _row(application_id, paper_id)
    if row.paper_token is None:
        key, nonce = AESGCM.generate_key(256), secrets.token_bytes(_NONCE_BYTES)
        row.paper = nonce + AESGCM(key).encrypt(nonce, pdf, row.number.encode())
        row.paper_token = vault.seal(SECRET_FIELD, key.hex())
        db.writing().flush()


def printed(application_id: int, paper_id: int) -> bytes | None:
    """Return the PDF of a paper, the same bytes each time; None while it is not made.

    Raises:
        NotFound: the case has no such paper.
        VaultDamaged: it does not open.
    """
    row = _row(application_id, paper_id)
    if row.paper_token is None or row.paper is None:
        return None
    cipher = AESGCM(bytes.fromhex(vault.unseal(SECRET_FIELD, row.paper_token)))
    try:
        return cipher.decrypt(row.paper[:_NONCE_BYTES], row.paper[_NONCE_BYTES:], row.number.encode())
    except InvalidTag:
        raise VaultDamaged from None


def moment(at: datetime) -> str:
    """Return a moment as papers say it, e.g. ``2026-03-02 09:00``."""
    return at.astimezone(HALL_TIME).strftime("%Y-%m-%d %H:%M")
