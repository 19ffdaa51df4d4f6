"""The clauses of the mobile-version access spec (手机版接入规范) as a table."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

RULES_CSV = Path(__file__).parent / "rules.csv"


@dataclass(frozen=True, slots=True)
class Clause:
    """One row of the table, as written.

    Attributes:
        code: ``MAS-…``, unique.
        tier: letters joined by ``+``: S static, R rendered, D declared, P probed, M manual.
        severity: ``must``, ``should``, or both with the condition of each.
        source: the public standard the clause comes from.
        evidence: how well the source is documented (``DOC``, ``PEER``, ``JUDGE``).
    """

    code: str
    group: str
    title: str
    tier: str
    how_to_measure: str
    threshold: str
    severity: str
    source: str
    evidence: str


def load_clauses(path: Path = RULES_CSV) -> dict[str, Clause]:
    """Return every clause by code, in the order of the table.

    Raises:
        ValueError: a row is short, or a code stands twice.
    """
    found: dict[str, Clause] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            if None in row or not all(row.values()):
                raise ValueError(f"{path.name}: row {line} does not have nine filled columns")
            clause = Clause(code=row.pop("id"), title=row.pop("rule"), **row)
            if clause.code in found:
                raise ValueError(f"{path.name}: row {line} repeats {clause.code}")
            found[clause.code] = clause
    return found
