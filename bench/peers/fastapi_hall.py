"""FastAPI over SQLAlchemy's async ORM and asyncmy, doing what the hall's item and case routes do.

Written for `make bench`: it reads and writes the hall's own tables, answers with the same JSON, and is
as such an application usually is: pydantic models in and out, one session a request, mapped classes.
`HALL_PEER_URL` names the database (`mysql+asyncmy://…`).
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import zlib
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any

import jsonschema_rs
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload

from bench.peers.fastapi_shapes import (
    Content,
    Item,
    ItemLine,
    ItemList,
    Progress,
    ProgressStep,
    Receipt,
    Submission,
)
from bench.peers.fastapi_tables import (
    Answered,
    Application,
    Body,
    Directory,
    Entry,
    Event,
    Head,
    Implementation,
    Job,
    Line,
    Message,
    Region,
    Session,
    Template,
    TemplateVersion,
    Version,
    new_id,
)

engine = create_async_engine(
    os.environ["HALL_PEER_URL"], isolation_level="READ COMMITTED", pool_size=10, max_overflow=10
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()
KEY = b"k" * 32


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


Db = Annotated[AsyncSession, Depends(session)]


async def signed_in(db: Db, authorization: Annotated[str, Header()] = "") -> int:
    token = authorization.removeprefix("Bearer ")
    digest = urlsafe_b64encode(sha256(token.encode()).digest()).rstrip(b"=").decode()
    found = await db.scalar(select(Session).where(Session.digest == digest))
    if found is None or found.expires_at < now():
        raise HTTPException(401)
    return found.resident_id


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


_whole = joinedload(Version.implementation).options(
    joinedload(Implementation.directory), joinedload(Implementation.body).joinedload(Body.region)
)


@app.get("/api/v1/items")
async def items(db: Db, region: str | None = None, after: str | None = None, limit: int = 20) -> ItemList:
    codes = await _reach(db, region)
    live = (
        select(Implementation.id)
        .join(Version, Version.implementation_id == Implementation.id)
        .where(Implementation.directory_id == Directory.id, Version.live == 1)
    )
    if codes:
        live = live.where(Implementation.region_code.in_(codes))
    query = select(Directory).where(live.exists())
    if after:
        name, _, code = after.rpartition("|")
        query = query.where(or_(Directory.name > name, and_(Directory.name == name, Directory.code > code)))
    rows = (await db.scalars(query.order_by(Directory.name, Directory.code).limit(limit + 1))).all()
    shown = rows[:limit]
    versions = select(Version).join(Version.implementation).options(_whole)
    versions = versions.where(Implementation.directory_id.in_([one.id for one in shown]), Version.live == 1)
    if codes:
        versions = versions.where(Implementation.region_code.in_(codes))
    nearest: dict[int, Version] = {}
    for version in (await db.scalars(versions)).all():
        held = nearest.setdefault(version.implementation.directory_id, version)
        if _rank(version, codes) < _rank(held, codes):
            nearest[version.implementation.directory_id] = version
    return ItemList(
        items=[_line(nearest[one.id]) for one in shown if one.id in nearest],
        next_after=f"{shown[-1].name}|{shown[-1].code}" if len(rows) > limit else None,
    )


async def _reach(db: AsyncSession, region: str | None) -> list[str]:
    if region is None:
        return []
    regions = {one.code: one for one in (await db.scalars(select(Region))).all()}
    if region not in regions:
        raise HTTPException(422)
    codes, above = [region], regions[region].parent_code
    while above is not None:
        codes.append(above)
        above = regions[above].parent_code
    return codes + [one.code for one in regions.values() if one.parent_code == region]


def _rank(version: Version, codes: list[str]) -> tuple[int, str, int]:
    place = version.implementation
    return codes.index(place.region_code) if codes else 0, place.region_code, place.id


def _line(version: Version) -> ItemLine:
    place = version.implementation
    return ItemLine(
        id=str(place.id),
        name=version.content["name"],
        body_name=place.body.full_name,
        region_code=place.region_code,
        region_name=place.body.region.name,
        summary=version.content["summary"],
        online=version.content["online"] and version.state == "published",
        sample=place.directory.sample,
        page_id=str(place.page_id) if place.page_id else None,
    )


@app.get("/api/v1/items/{item_id}")
async def item(db: Db, item_id: int) -> Item:
    query = select(Version).where(Version.implementation_id == item_id, Version.live == 1).options(_whole)
    version = await db.scalar(query)
    if version is None:
        raise HTTPException(404)
    place = version.implementation
    content = Content.model_validate(version.content)
    return Item(
        id=str(place.id),
        version_id=str(version.id),
        version_number=version.number,
        code=place.code,
        code_scheme=place.code_scheme,
        directory_id=str(place.directory_id),
        directory_code=place.directory.code,
        item_type=place.directory.item_type,
        domain=place.directory.domain,
        legal_basis=place.directory.legal_basis,
        sample=place.directory.sample,
        body_id=str(place.body_id),
        body_name=place.body.full_name,
        region_code=place.region_code,
        region_name=place.body.region.name,
        page_id=str(place.page_id) if place.page_id else None,
        state=version.state,
        effective_on=version.effective_on,
        open=version.state == "published" and content.online,
        content=content,
        form=version.form,
    )


@app.get("/api/v1/progress")
async def progress(db: Db, number: str, query_code: str) -> Progress:
    query = select(Application).where(Application.number == number)
    query = query.options(joinedload(Application.item_version).options(_whole))
    found = await db.scalar(query)
    # Our own code for the number; the bench gives the hall's, which it cannot derive without its vault.
    digest = hmac.new(KEY, str(found.id if found else 0).encode(), sha256).hexdigest()
    hmac.compare_digest(digest[:8], query_code)
    if found is None or found.submitted_at is None:
        raise HTTPException(422)
    events = select(Event).where(Event.application_id == found.id).order_by(Event.number)
    return Progress(
        number=number,
        item_name=found.item_version.content["name"],
        body_name=found.item_version.implementation.body.full_name,
        state=found.state,
        state_label=found.state,
        submitted_at=found.submitted_at,
        due_on=found.intake_due_on,
        steps=[
            ProgressStep(number=one.number, label=one.event, at=one.at) for one in await db.scalars(events)
        ],
    )


_validators: dict[int, Any] = {}


@app.post("/api/v1/my/applications/{application_id}/submit")
async def submit(
    db: Db,
    application_id: int,
    sent: Submission,
    me: Annotated[int, Depends(signed_in)],
    idempotency_key: Annotated[str, Header()],
) -> Receipt:
    digest = sha256(sent.model_dump_json().encode()).hexdigest()
    kept = await db.scalar(select(Answered).where(Answered.owner == str(me), Answered.key == idempotency_key))
    if kept is not None:
        return Receipt.model_validate_json(kept.body)
    answered = Answered(
        owner=str(me),
        operation=f"submit:{application_id}",
        key=idempotency_key,
        digest=digest,
        status=200,
        body="",
        created_at=now(),
    )
    db.add(answered)
    query = select(Application).where(Application.id == application_id).with_for_update()
    found = await db.scalar(query)
    if found is None or found.resident_id != me:
        raise HTTPException(404)
    if found.version != sent.version or found.state != "draft":
        raise HTTPException(409)
    version = await db.scalar(select(Version).where(Version.id == found.item_version_id).options(_whole))
    if version is None or version.form is None:
        raise HTTPException(409)
    await _check(db, found, version)
    at = now()
    found.number = await _number(db, found.region_code, at)
    found.state, found.version, found.event_count = "submitted", found.version + 1, found.event_count + 1
    found.submitted_at = found.received_at = at
    found.intake_due_on = found.desk_on = await _due(db, at)
    actor = f"resident:{me}"
    db.add(
        Event(
            application_id=found.id,
            number=found.event_count,
            event="submit",
            from_state="draft",
            to_state="submitted",
            who="R",
            actor=actor,
            message="SB",
            text="",
            detail={},
            at=at,
        )
    )
    told = {"number": found.number, "state": found.state, "resident_id": str(me)}
    db.add(_job("third_parties.tell-application", told, at, f"{found.id}:{found.event_count}"))
    await _tell(db, found, version, at)
    await _trail(db, actor, found.id, at)
    receipt = Receipt(
        id=str(found.id),
        version=found.version,
        number=found.number,
        state=found.state,
        state_label="已提交，等待受理",
        submitted_at=at,
        intake_due_on=found.intake_due_on,
    )
    answered.body = receipt.model_dump_json()
    await db.commit()
    return receipt


async def _check(db: AsyncSession, found: Application, version: Version) -> None:
    """Open the personal answers and check them all against the form."""
    tokens = list(found.sealed.values())
    entries = (await db.scalars(select(Entry).where(Entry.token.in_(tokens)))).all()
    # The hall's data key is not known here: the same cipher over the same bytes, with a key of our own.
    for entry in entries:
        AESGCM(KEY).encrypt(entry.nonce, entry.ciphertext, entry.token.encode())
    validator = _validators.get(version.id)
    if validator is None:
        schema = {**(version.form or {})["schema"], "required": []}
        validator = _validators[version.id] = jsonschema_rs.validator_for(schema)
    problems = [str(one) for one in validator.iter_errors(found.answers)]
    required = [one["code"] for one in version.content["materials"] if one.get("required", True)]
    if problems or any(code not in found.materials for code in required):
        raise HTTPException(422, problems)


async def _number(db: AsyncSession, region: str, at: datetime) -> str:
    while True:
        number = f"{region[:6]}{at:%y%m%d}3{secrets.randbelow(10**7):07}0"
        if await db.scalar(select(Application.id).where(Application.number == number)) is None:
            return number


async def _due(_db: AsyncSession, at: datetime) -> date:
    day, left = at.date(), 5
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day


def _job(name: str, payload: dict[str, Any], at: datetime, key: str) -> Job:
    return Job(name=name, payload=payload, dedup_key=f"peer:{name}:{key}", run_at=at, created_at=at)


async def _tell(db: AsyncSession, found: Application, version: Version, at: datetime) -> None:
    template = await db.scalar(
        select(TemplateVersion)
        .join(TemplateVersion.template)
        .where(Template.key == "application.submitted", TemplateVersion.state == "published")
        .options(joinedload(TemplateVersion.template))
    )
    assert template is not None
    values = {"事项": version.content["name"], "编号": found.number, "时间": at.isoformat()}
    token, nonce = secrets.token_urlsafe(24), secrets.token_bytes(12)
    sealed = AESGCM(KEY).encrypt(nonce, json.dumps(values).encode(), token.encode())
    key_id = await db.scalar(select(func.max(Entry.key_id)))
    db.add(Entry(token=token, field="peer", key_id=key_id, nonce=nonce, ciphertext=sealed, created_at=at))
    message = Message(
        id=new_id(),
        resident_id=found.resident_id,
        version_id=template.id,
        dedup_key=f"application:{found.id}:{found.event_count}",
        topic=template.template.topic,
        urgent=template.template.urgent,
        binding=template.template.binding,
        values_token=token,
        link=f"/me/applications/{found.id}",
        state="created",
        created_at=at,
        due_at=at,
        valid_until=at + timedelta(hours=template.template.valid_hours),
        touched_at=at,
        is_read=False,
    )
    db.add(message)
    db.add(_job("notices.deliver", {"message_id": str(message.id)}, at, str(message.id)))


async def _trail(db: AsyncSession, actor: str, application_id: int, at: datetime) -> None:
    await db.flush()
    chain = 100 + zlib.crc32(str(application_id).encode()) % 16
    head = await db.scalar(select(Head).where(Head.chain == chain).with_for_update())
    if head is None:
        head = Head(chain=chain, number=0, mac="0" * 64)
        db.add(head)
    line = Line(
        chain=chain,
        number=head.number + 1,
        at=at,
        actor=actor,
        action="application.submit",
        object_kind="application",
        object_id=application_id,
        detail={"to": "submitted"},
        previous_mac=head.mac,
        mac="",
    )
    covered = json.dumps([chain, line.number, at.isoformat(), actor, application_id, head.mac])
    line.mac = hmac.new(KEY, covered.encode(), sha256).hexdigest()
    head.number, head.mac = line.number, line.mac
    db.add(line)
