"""Taking messages in: at least once over the wire, exactly once in their effect."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from app.applications.service import CaseFacts
from app.catalogue import service as catalogue
from app.core import db
from app.core.clock import day_of
from app.core.errors import DomainError, Invalid, NotFound
from app.exchange import cases, storing
from app.exchange.applying import actor_of, messages_of, move, settle
from app.exchange.checking import Finding, business_time, differing, find_faults, same_text
from app.exchange.domain import (
    BODY_MAX_BYTES,
    Kind,
    MessageEvent,
    MessageInvalid,
    MessageState,
    TooLarge,
    VersionTaken,
    VersionTooLow,
)
from app.exchange.models import ExchangeArrival, ExchangeCase, ExchangeMessage, ExchangeSystem
from app.identity import service as identity
from app.identity.service import IdKind
from app.organisations import service as organisations
from app.third_parties.service import Stage
from config.exchange import standard

OK, CREATED, HELD, TAKEN, BAD = 200, 201, 202, 409, 422
PERSON, USCC = "1", "3"
ENTERED = (MessageState.APPLIED, MessageState.QUARANTINED, MessageState.DEAD, MessageState.VALID)
REFUSALS: Mapping[str, type[DomainError]] = {
    one.code: one for one in (MessageInvalid, VersionTaken, VersionTooLow)
}


@dataclass(frozen=True, slots=True)
class Given:
    """A message as it came: its address, and its body."""

    sblsh: str
    kind: Kind
    seq: int
    data_version: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told; the same at every repeat.

    Attributes:
        status: of HTTP; 200 for what was taken in before.
        first: of the first answer.
        digest: SHA-256 of the body in its one spelling.
        code, errors: of a refusal.
    """

    status: int
    first: int
    message_id: int | None
    state: MessageState
    given: Given
    digest: str
    received_at: datetime
    findings: Sequence[Mapping[str, str]] = ()
    code: str = ""

    @property
    def hash(self) -> str:
        """Return the SHA-256 of what the receipt says, so that neither side can change it later."""
        said = {
            "data_version": self.given.data_version,
            "digest": self.digest,
            "received_at": self.received_at.isoformat(),
            "sblsh": self.given.sblsh,
            "seq": self.given.seq,
            "sptype": int(self.given.kind),
            "state": self.state.value,
        }
        return sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    @property
    def refused(self) -> bool:
        return self.status >= TAKEN

    def refusal(self) -> DomainError:
        """Return the error that tells the sender, field by field."""
        fields: dict[str, list[dict[str, str]]] = {}
        for one in self.findings:
            told = {key: one[key] for key in ("code", "name", "text")}
            fields.setdefault(one["field"] or "message", []).append(told)
        return REFUSALS[self.code](fields=fields)


def receive(system: ExchangeSystem, stage: Stage, given: Given, *, now: datetime) -> Receipt:
    """Take a message in: apply it, hold it until what comes before is there, or keep it as rejected.

    Must be committed whatever it says: refusals are kept too.

    Raises:
        NotFound: the number is that of a case of somebody else.
        TooLarge: the body is; nothing is kept of it.
    """
    text = same_text(given.body)
    if len(text.encode()) > BODY_MAX_BYTES:
        raise TooLarge
    case = cases.locked_case(system, stage, given.sblsh, now)
    arrivals = _arrivals(case, given)
    digest, mark = storing.digest(text), storing.mark(text)
    same = next(
        (one for one in arrivals if (one.data_version, one.digest) == (given.data_version, mark)), None
    )
    if same is not None:
        same.count += 1
        same.last_at = now
        db.writing().flush()
        return _receipt(same, given, digest, repeated=True)
    taking = _Taking(system, case, given, text, mark, now)
    newest = max((one.data_version for one in arrivals if one.state in ENTERED), default=0)
    if given.data_version < newest:
        arrival = taking.note(None, MessageState.REJECTED, TAKEN, VersionTooLow.code, [])
    elif any(one.data_version == given.data_version for one in arrivals):
        arrival = taking.reject(MessageEvent.SAME_KEY_OTHER_BODY, taking.differences())
    else:
        faults = taking.faults()
        arrival = taking.reject(MessageEvent.SCHEMA_BAD, faults) if faults else taking.enter()
    db.writing().flush()
    return _receipt(arrival, given, digest, repeated=False)


@dataclass(frozen=True, slots=True)
class _Taking:
    """A body that nobody sent before, on its way in."""

    system: ExchangeSystem
    case: ExchangeCase
    given: Given
    text: str
    mark: str
    now: datetime

    @property
    def actor(self) -> str:
        return actor_of(self.system)

    def differences(self) -> list[Finding]:
        """Return in which fields it differs from the body that came under its version first."""
        for row in self._rows():
            if row.data_version == self.given.data_version and row.body:
                spec = standard().messages[self.given.kind]
                return differing(storing.opened(row.body), self.given.body, spec)
        return []

    def faults(self) -> list[Finding]:
        """Return what is wrong with it by the standard, the system's scope and the case."""
        given, rules = self.given, standard()
        spec = rules.messages[given.kind]
        found = find_faults(
            spec,
            given.body,
            sblsh=given.sblsh,
            version=given.data_version,
            regions={one.code for one in organisations.regions()},
            rules=rules,
            now=self.now,
        )
        named = {one.field for one in found}
        more = []
        if not named & {"SXBM", "XZQHDM"}:
            more += self._item_faults()
        if given.kind is Kind.SB and not named:
            more += self._applicant_faults()
        if given.body.get("YWLSH") and "YWLSH" not in named:
            more += self._alias_faults(str(given.body["YWLSH"]))
        names = {code: field.name for code, field in spec.fields.items()}
        return [*found, *(Finding(field, names[field], code, text) for field, code, text in more)]

    def enter(self) -> ExchangeArrival:
        """Hold it for its turn, and bring in what now can be."""
        rows = self._rows()
        held = next((one for one in rows if one.state is MessageState.QUARANTINED), None)
        rejected = next((one for one in rows if one.state is MessageState.REJECTED), None)
        row = held or rejected or self._new_row()
        if held is not None:
            self._fill(held)
            if rejected is not None:
                move(rejected, MessageEvent.RESEND, actor=self.actor)
                move(rejected, MessageEvent.SAME_KEY_SAME_BODY, actor=self.actor)
        else:
            if rejected is not None:
                move(rejected, MessageEvent.RESEND, actor=self.actor)
                self._fill(rejected)
            move(row, MessageEvent.SCHEMA_OK, actor=self.actor)
        row.corrects = any(one.state is MessageState.APPLIED for one in rows)
        self._take_alias()
        db.writing().flush()
        settle(self.system, self.case, now=self.now)
        if row.state is MessageState.VALID:
            move(row, MessageEvent.GAP, actor=self.actor)
        applied = row.state is MessageState.APPLIED
        return self.note(row, row.state, CREATED if applied else HELD, "", row.findings)

    def reject(self, event: MessageEvent, faults: Sequence[Finding]) -> ExchangeArrival:
        """Keep it for people to look at, with what is wrong."""
        row = next((one for one in self._rows() if one.state is MessageState.REJECTED), None)
        if row is None:
            row = self._new_row()
        else:
            move(row, MessageEvent.RESEND, actor=self.actor)
            self._fill(row)
        move(row, event, actor=self.actor)
        row.findings = [one.as_json() for one in faults]
        taken = event is MessageEvent.SAME_KEY_OTHER_BODY
        code = VersionTaken.code if taken else MessageInvalid.code
        return self.note(row, MessageState.REJECTED, TAKEN if taken else BAD, code, row.findings)

    def note(
        self,
        row: ExchangeMessage | None,
        state: MessageState,
        status: int,
        code: str,
        findings: Sequence[Mapping[str, str]],
    ) -> ExchangeArrival:
        """Write down that it came, and what is answered."""
        arrival = ExchangeArrival(
            case_id=self.case.id,
            kind=int(self.given.kind),
            seq=self.given.seq,
            data_version=self.given.data_version,
            digest=self.mark,
            message_id=row.id if row else None,
            state=state,
            status=status,
            answer={"code": code, "findings": list(findings)},
            count=1,
            at=self.now,
            last_at=self.now,
        )
        db.writing().add(arrival)
        return arrival

    def _rows(self) -> list[ExchangeMessage]:
        found = [
            row
            for row in messages_of(self.case.id)
            if (row.kind, row.seq) == (self.given.kind, self.given.seq)
        ]
        return sorted(found, key=lambda row: row.data_version)

    def _new_row(self) -> ExchangeMessage:
        row = ExchangeMessage(
            system_id=self.system.id,
            stage=self.case.stage,
            case_id=self.case.id,
            kind=int(self.given.kind),
            seq=self.given.seq,
            state=MessageState.RECEIVED,
            corrects=False,
            body=[],
            findings=[],
            reason="",
            version=1,
        )
        self._fill(row)
        db.writing().add(row)
        db.writing().flush()
        return row

    def _fill(self, row: ExchangeMessage) -> None:
        storing.forget(row.body)
        spec = standard().messages[self.given.kind]
        row.body, row.digest = storing.keep(self.text), self.mark
        row.data_version, row.received_at = self.given.data_version, self.now
        row.business_at = business_time(spec, self.given.body)
        row.findings, row.told_at = [], None

    def _item_faults(self) -> list[tuple[str, str, str]]:
        code, region = self.given.body["SXBM"], self.given.body["XZQHDM"]
        facts = self._facts()
        if facts is not None:
            if facts.item_code != code:
                return [("SXBM", "other_item", "与这个办件的事项不一致")]
            return (
                [] if facts.region_code == region else [("XZQHDM", "other_region", "与这个办件的地区不一致")]
            )
        if self.system.items and code not in self.system.items:
            return [("SXBM", "unknown_item", "不在本系统登记的事项范围内")]
        if catalogue.item_by_code(code, self.system.body_id) is None:
            return [("SXBM", "unknown_item", "本单位没有这个事项，或没有发布")]
        if catalogue.item_by_code(code, self.system.body_id, region) is None:
            return [("XZQHDM", "other_region", "这个事项不在这个地区办理")]
        if self.case.stage is Stage.PRODUCTION and not cases.goes_first(self.system, code):
            return [("SXBM", "other_system", "这个事项由本单位的另一个系统报送")]
        return []

    def _facts(self) -> CaseFacts | None:
        return cases.facts_of(self.case, "") if self.case.application_id is not None else None

    def _applicant_faults(self) -> list[tuple[str, str, str]]:
        body, found = self.given.body, []
        prefix = {"kind": "SQRZJLX", "number": "SQRZJHM"}
        if body["SQRLX"] != PERSON:
            found += [
                (field, "required", "申请人不是个人时必填联系人")
                for field in ("LXRXM", "LXRZJLX", "LXRSFZJHM")
                if not body.get(field)
            ]
            try:
                identity.check_uscc(body["SQRZJHM"])
            except Invalid as error:
                found.append(("SQRZJHM", "bad_number", str(error)))
            prefix = {"kind": "LXRZJLX", "number": "LXRSFZJHM"}
        if not found:
            found += _number_faults(body, prefix["kind"], prefix["number"], self.now)
        return found

    def _alias_faults(self, number: str) -> list[tuple[str, str, str]]:
        known = cases.by_number(self.system, self.case.stage, cases.YWLSH, number)
        if known in (None, self.case.id):
            return []
        return [("YWLSH", "taken", "这个业务流水号已用于另一个办件")]

    def _take_alias(self) -> None:
        number = str(self.given.body.get("YWLSH") or "")
        if number and cases.by_number(self.system, self.case.stage, cases.YWLSH, number) is None:
            # Two cases at once may not share it: who makes an alias holds the system's row.
            db.writing().execute(
                select(ExchangeSystem.id).where(ExchangeSystem.id == self.system.id).with_for_update()
            )
            if cases.by_number(self.system, self.case.stage, cases.YWLSH, number) is None:
                cases.name_case(self.case, cases.YWLSH, number)


def _number_faults(
    body: Mapping[str, Any], kind: str, number: str, now: datetime
) -> list[tuple[str, str, str]]:
    if body[kind] == USCC:
        return [(kind, "unknown_code", "个人的证件类型只能是 1 或 2")]
    try:
        identity.check_id_number(IdKind(body[kind]), body[number], day_of(now))
    except Invalid as error:
        return [(number, "bad_number", str(error))]
    return []


def held_message(system: ExchangeSystem, stage: Stage, sblsh: str, kind: Kind, seq: int) -> ExchangeMessage:
    """Return the newest version of a message that came.

    Raises:
        NotFound: none came.
    """
    case = cases.seen_case(system, stage, sblsh)
    rows = [row for row in messages_of(case.id) if (row.kind, row.seq) == (kind, seq)]
    if not rows:
        raise NotFound("没有收到这条报文")
    return max(rows, key=lambda row: (row.data_version, row.received_at))


def _arrivals(case: ExchangeCase, given: Given) -> list[ExchangeArrival]:
    query = select(ExchangeArrival).where(
        ExchangeArrival.case_id == case.id,
        ExchangeArrival.kind == int(given.kind),
        ExchangeArrival.seq == given.seq,
    )
    return list(db.writing().scalars(query))


def _receipt(arrival: ExchangeArrival, given: Given, digest: str, *, repeated: bool) -> Receipt:
    accepted = arrival.status < TAKEN
    return Receipt(
        status=OK if repeated and accepted else arrival.status,
        first=arrival.status,
        message_id=arrival.message_id,
        state=arrival.state,
        given=given,
        digest=digest,
        received_at=arrival.at,
        findings=arrival.answer["findings"],
        code=arrival.answer["code"],
    )
