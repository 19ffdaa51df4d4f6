"""What the hall asks a provider of real-name checks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.identity.people_domain import IdKind


class Finding(StrEnum):
    """What a register says of a name and a number."""

    MATCH = "match"
    MISMATCH = "mismatch"
    NOT_FOUND = "not_found"


class FaceFinding(StrEnum):
    """How a face check stands."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class FaceStart:
    """Where the person goes now, and what the provider calls this check."""

    reference: str
    url: str


class Provider(Protocol):
    """A register of people and enterprises. Every method raises ``ProviderAway`` when it gives no answer."""

    def check_person(self, kind: IdKind, number: str, name: str) -> Finding:
        """Tell whether name and number belong together (two factors)."""
        ...

    def start_face(self, kind: IdKind, number: str, name: str, return_url: str) -> FaceStart:
        """Begin to compare the face before a phone with the register's (three factors)."""
        ...

    def face_result(self, reference: str) -> FaceFinding:
        """Tell how a face check stands."""
        ...

    def check_enterprise(self, uscc: str, name: str, legal_kind: IdKind, legal_number: str) -> Finding:
        """Tell whether name, code and legal representative belong together."""
        ...
