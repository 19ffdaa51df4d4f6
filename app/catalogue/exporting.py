"""Takes the catalogue out in files that can be brought in again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import select

from app.catalogue import desk_reading
from app.catalogue.content import from_json, to_json
from app.catalogue.desk_reading import Filter, StandingLine
from app.catalogue.domain import DOMAIN_LABELS, ITEM_TYPE_LABELS, Domain, ItemType
from app.catalogue.exchange_files import ROWS_MAX, FileForm, FileRow, What, legal_basis_cell, written
from app.catalogue.models import ItemDirectory, ItemImplementation, ItemVersion
from app.core import db
from app.organisations.service import Principal

_SIZE_MAX = 3 * 1024 * 1024
"""How much of contents goes into one file: it must pass the import again."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file; ``next_after`` is where the next one goes on, None where this is the last."""

    content: bytes
    rows: int
    next_after: str | None


def exported(
    by: Principal, what: What, form: FileForm, wanted: Filter, *, after: str | None = None
) -> Exported:
    """Return what the caller may see: directory entries, or implementations with their newest version.

    At most ``ROWS_MAX`` rows; implementations without a version are left out.

    Raises:
        Invalid: ``after`` is none of ours.
        ImportRefused: something is too long for a table.
    """
    rows, next_after = _directory(wanted, after) if what is What.DIRECTORY else _items(by, wanted, after)
    return Exported(written(what, form, rows), len(rows), next_after)


def _directory(wanted: Filter, after: str | None) -> tuple[list[FileRow], str | None]:
    found = desk_reading.directory(text=wanted.text, after=after, limit=ROWS_MAX)
    rows = [
        FileRow(
            number,
            {
                "code": one.code,
                "code_scheme": one.code_scheme,
                "name": one.name,
                "item_type": ITEM_TYPE_LABELS[ItemType(one.item_type)],
                "domain": DOMAIN_LABELS[Domain(one.domain)],
                "legal_basis": legal_basis_cell(one.legal_basis),
                "sample": "是" if one.sample else "否",
            },
        )
        for number, one in enumerate(found.items, start=1)
    ]
    return rows, found.next_after


def _items(by: Principal, wanted: Filter, after: str | None) -> tuple[list[FileRow], str | None]:
    lines = desk_reading.lines_for(by, replace(wanted, written=True), after, ROWS_MAX + 1)
    shown, more = lines[:ROWS_MAX], len(lines) > ROWS_MAX
    versions = _versions(one.newest_id for one in shown)
    places = _places(one.id for one in shown)
    rows: list[FileRow] = []
    size = 0
    for line in shown:
        row = _row(len(rows) + 1, line, versions[line.newest_id or 0], *places[line.id])
        size += len(json.dumps([row.content, row.form]))
        if rows and size > _SIZE_MAX:
            more = True
            break
        rows.append(row)
    return rows, desk_reading.after_of(shown[len(rows) - 1]) if more else None


def _row(
    number: int,
    line: StandingLine,
    version: ItemVersion,
    implementation: ItemImplementation,
    directory: ItemDirectory,
) -> FileRow:
    told = {
        "code": implementation.code,
        "code_scheme": implementation.code_scheme,
        "directory_code": directory.code,
        "directory_scheme": directory.code_scheme,
        "body": line.body_name,
        "region_code": implementation.region_code,
        "effective_on": version.effective_on.isoformat(),
    }
    return FileRow(number, told, to_json(from_json(version.content)), True, version.form)


def _versions(version_ids: Iterable[int | None]) -> dict[int, ItemVersion]:
    query = select(ItemVersion).where(ItemVersion.id.in_(list(version_ids)))
    return {one.id: one for one in db.session().scalars(query)}


def _places(implementation_ids: Iterable[int]) -> dict[int, tuple[ItemImplementation, ItemDirectory]]:
    query = (
        select(ItemImplementation, ItemDirectory)
        .join(ItemDirectory, ItemDirectory.id == ItemImplementation.directory_id)
        .where(ItemImplementation.id.in_(list(implementation_ids)))
    )
    return {row[0].id: (row[0], row[1]) for row in db.session().execute(query)}
