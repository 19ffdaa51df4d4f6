"""Roll-ups as stored rows: read, written anew, corrected where everybody can see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update

from app.core import db
from app.core.ids import new_id
from app.monitoring.history_models import GroupRollup, Rollup, RollupCorrection, Scope
from app.monitoring.history_models import Span as Length
from app.monitoring.marks import Reason
from app.monitoring.reckoning import GroupRow, Row, histogram_of
from mobile_pages.probe.bucket import NUMBERS, Bucket

Values = dict[str, Any]


def check_rows(length: Length, start: datetime, check_ids: Sequence[int]) -> dict[int, Row]:
    """Return the stored rows of an hour or day by check."""
    query = select(
        Rollup.check_id,
        Rollup.body_id,
        Rollup.slot_s,
        Rollup.fresh_s,
        *(getattr(Rollup, n) for n in NUMBERS),
        Rollup.histogram,
    ).where(Rollup.span == length, Rollup.start_at == start, Rollup.check_id.in_(check_ids))
    return {
        check_id: Row(body_id, slot_s, fresh_s, _bucket(numbers, histogram))
        for check_id, body_id, slot_s, fresh_s, *numbers, histogram in db.session().execute(query)
    }


def group_rows(
    length: Length, scope: Scope, start: datetime, refs: Iterable[str] | None = None
) -> dict[str, GroupRow]:
    """Return the stored rows of an hour or day by body or city, or the province's under ``""``."""
    query = select(
        GroupRollup.ref, GroupRollup.pages, *(getattr(GroupRollup, n) for n in NUMBERS), GroupRollup.histogram
    ).where(GroupRollup.span == length, GroupRollup.scope == scope, GroupRollup.start_at == start)
    if refs is not None:
        query = query.where(GroupRollup.ref.in_(list(refs)))
    return {
        ref: GroupRow(pages, _bucket(numbers, histogram))
        for ref, pages, *numbers, histogram in db.session().execute(query)
    }


def put_checks(
    length: Length,
    start: datetime,
    wanted: Mapping[int, Row],
    held: Mapping[int, Row],
    reason: Reason | None,
    now: datetime,
) -> set[int]:
    """Make the stored rows ``held`` say what is ``wanted``; return the checks that say something else now.

    A row that was written before and changes gets a higher revision and leaves a correction.
    ``reason`` None is for hours and days that nobody has seen yet: what is new there corrects nothing.
    """
    changed = {id_ for id_ in wanted.keys() | held.keys() if wanted.get(id_) != held.get(id_)}
    new = [
        {"span": length.value, "start_at": start, "check_id": id_, **values_of(wanted[id_])} | _first(now)
        for id_ in sorted(changed - held.keys())
    ]
    if new:
        db.writing().execute(insert(Rollup), new)
    for id_ in sorted(changed & held.keys()):
        where = (Rollup.span == length, Rollup.start_at == start, Rollup.check_id == id_)
        _rewrite(Rollup, where, values_of(wanted[id_]) if id_ in wanted else None, now)
    _tell(length, Scope.CHECK, start, changed, held, wanted, reason, now)
    return changed


def put_groups(
    length: Length,
    scope: Scope,
    start: datetime,
    wanted: Mapping[str, GroupRow],
    held: Mapping[str, GroupRow],
    reason: Reason | None,
    now: datetime,
) -> None:
    """As :func:`put_checks` for groups."""
    changed = {ref for ref in wanted.keys() | held.keys() if wanted.get(ref) != held.get(ref)}
    own = {"span": length.value, "scope": scope.value, "start_at": start}
    new = [
        {**own, "ref": ref, **values_of(wanted[ref])} | _first(now) for ref in sorted(changed - held.keys())
    ]
    if new:
        db.writing().execute(insert(GroupRollup), new)
    for ref in sorted(changed & held.keys()):
        where = (
            GroupRollup.span == length,
            GroupRollup.scope == scope,
            GroupRollup.start_at == start,
            GroupRollup.ref == ref,
        )
        _rewrite(GroupRollup, where, values_of(wanted[ref]) if ref in wanted else None, now)
    _tell(length, scope, start, changed, held, wanted, reason, now)


def values_of(row: Row | GroupRow | None) -> Values:
    """Return what a row says as the values of its columns; nothing of no row."""
    if row is None:
        return {}
    own: Values = (
        {"pages": row.pages}
        if isinstance(row, GroupRow)
        else {"body_id": row.body_id, "slot_s": row.slot_s, "fresh_s": row.fresh_s}
    )
    figures = dict(zip(NUMBERS, row.bucket.numbers(), strict=True))
    return {**own, **figures, "histogram": row.bucket.histogram.to_bytes()}


def differing(before: Row | GroupRow | None, after: Row | GroupRow | None) -> tuple[Values, Values]:
    """Return what differs, before and after, as plain JSON values."""
    one, other = (_plain(values_of(row)) for row in (before, after))
    names = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
    return tuple({name: values[name] for name in sorted(names) if name in values} for values in (one, other))  # type: ignore[return-value]


def _plain(values: Values) -> Values:
    return {
        name: value.hex() if isinstance(value, bytes) else str(value) if name == "body_id" else value
        for name, value in values.items()
    }


def _bucket(numbers: Sequence[int], histogram: bytes) -> Bucket:
    own = dict(zip(NUMBERS, numbers, strict=True))
    return Bucket(**own, histogram=histogram_of(histogram))


def _first(now: datetime) -> Values:
    return {"revision": 1, "computed_at": now}


def _rewrite(
    model: type[Rollup | GroupRollup],
    where: Sequence[ColumnElement[bool]],
    values: Values | None,
    now: datetime,
) -> None:
    change: Any = delete(model).where(*where)
    if values is not None:
        change = update(model).where(*where).values(**values, revision=model.revision + 1, computed_at=now)
    db.writing().execute(change.execution_options(synchronize_session=False))


def _tell(
    length: Length,
    scope: Scope,
    start: datetime,
    changed: Iterable[Any],
    held: Mapping[Any, Row | GroupRow],
    wanted: Mapping[Any, Row | GroupRow],
    reason: Reason | None,
    now: datetime,
) -> None:
    lines = []
    for key in sorted(changed):
        if reason is None and key not in held:
            continue
        before, after = differing(held.get(key), wanted.get(key))
        lines.append(
            {
                "id": new_id(),
                "span": length.value,
                "scope": scope.value,
                "ref": str(key),
                "start_at": start,
                "before": before,
                "after": after,
                "reason": (reason or Reason.STATE).value,
                "corrected_at": now,
            }
        )
    if lines:
        db.writing().execute(insert(RollupCorrection), lines)
