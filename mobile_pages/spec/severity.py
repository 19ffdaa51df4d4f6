"""Reads the severity column of the access spec."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mobile_pages.spec.base import Profile, Severity

_PART = re.compile(r"(?:(?P<grade>[^=]+)=)?(?P<severity>must|should)(?:\((?P<condition>[^)]+)\))?")


@dataclass(frozen=True, slots=True)
class SeverityScale:
    """How grave a fault against one clause is, per edition."""

    standard: Severity
    elder: Severity

    def under(self, profile: Profile) -> Severity:
        return self.elder if profile is Profile.ELDER else self.standard


def parse_severity(text: str) -> SeverityScale:
    """Read one cell, e.g. ``must``, ``should(标准版)/must(长辈版)`` or ``24=must, 44=should``.

    Where a cell grades by anything but the edition, the gravest counts: a rule that finds only the
    milder fault says so in its outcome.

    Raises:
        ValueError: the cell holds anything else.
    """
    editions: dict[Profile, Severity] = {}
    others: list[Severity] = []
    for part in re.split(r"[/,]", text):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"not a severity: {text!r}")
        severity = Severity(match["severity"])
        condition = match["condition"] or ""
        if condition.startswith("标准"):
            editions[Profile.STANDARD] = severity
        elif condition.startswith("长辈"):
            editions[Profile.ELDER] = severity
        else:
            others.append(severity)
    gravest = Severity.MUST if Severity.MUST in (others or editions.values()) else Severity.SHOULD
    return SeverityScale(
        standard=editions.get(Profile.STANDARD, gravest), elder=editions.get(Profile.ELDER, gravest)
    )
