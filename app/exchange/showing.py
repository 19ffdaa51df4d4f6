"""What a department's system may see of its cases: where they stand, their messages, their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.applications import service as applications
from app.applications.service import BlobStore, FileView, State
from app.core.errors import NotFound
from app.exchange import cases, systems
from app.exchange.applying import messages_of, place_of
from app.exchange.models import ExchangeMessage, ExchangeSystem
from app.third_parties.service import Caller, Stage


@dataclass(frozen=True, slots=True)
class CaseSeen:
    """A case as its system sees it; ``state`` is None until 申办 has come."""

    numbers: Sequence[str]
    state: State | None
    messages: Sequence[ExchangeMessage]
    files: Sequence[FileView]


def case_seen(system: ExchangeSystem, stage: Stage, number: str) -> CaseSeen:
    """Return a case with its messages in order, and the files that were handed in.

    Raises:
        NotFound: the system has no such case.
    """
    case = cases.seen_case(system, stage, number)
    facts = cases.facts_of(case, "")
    files: list[FileView] = []
    if case.application_id is not None:
        files = applications.handed_files(case.application_id, body_id=system.body_id)
    rows = sorted(messages_of(case.id), key=lambda row: (*place_of(row), row.data_version))
    return CaseSeen(cases.numbers_of(case.id), facts.state if facts else None, rows, files)


def file_of(
    caller: Caller, code: str, number: str, file_id: int, *, store: BlobStore, now: datetime
) -> tuple[str, bytes]:
    """Return kind and content of a file of a case; that it was read is written down.

    Raises:
        NotFound: no such system of the caller, case or file.
        NotLive: the system is not.
    """
    system = systems.of_caller(caller, code)
    case = cases.seen_case(system, caller.stage, number)
    if case.application_id is None:
        raise NotFound("没有这个文件")
    found, content = applications.hand_over_file(
        case.application_id,
        file_id,
        body_id=system.body_id,
        actor=caller.actor,
        by=system.name,
        store=store,
        now=now,
    )
    return found.type.value, content
