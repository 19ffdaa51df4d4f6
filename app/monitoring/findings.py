"""What good looks teach besides, kept with the watch of their check; what changed is told."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from app.alerts import service as alerts
from app.alerts.service import Alert, Severity, Topic
from app.core import db
from app.core.errors import Unavailable
from app.monitoring.models import Watch
from mobile_pages.probe.base import ProbeResult
from mobile_pages.probe.facts import Change, ChangeKind, Facts, Seen, from_dict, learn, to_dict

log = logging.getLogger(__name__)

CHANGES_KEPT = 10
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class PastChange:
    """One change that a look noticed; ``text`` is a Chinese sentence."""

    at: datetime
    kind: ChangeKind
    text: str


def keep(results: Iterable[ProbeResult]) -> None:
    """Keep what looks taught and tell of changes; opens its own transactions, writes only what is new.

    What looks teach besides is no reason to take the looks themselves back, so nothing is raised but
    that the database is away.
    """
    seen = {int(one.target_id): one.seen for one in results if one.seen is not None}
    numbers = sorted(seen)
    for at in range(0, len(numbers), _CHUNK):
        chunk = {number: seen[number] for number in numbers[at : at + _CHUNK]}
        try:
            _keep(chunk)
        except Unavailable:
            raise
        except Exception:
            log.exception("facts_not_kept")


def changes_of(facts: Mapping[str, Any] | None) -> list[PastChange]:
    """Return the last changes that stand in a watch's ``facts``, the newest first."""
    rows = (facts or {}).get("changes", ())
    return [
        PastChange(datetime.fromisoformat(row["at"]), ChangeKind(row["kind"]), row["text"]) for row in rows
    ]


def facts_of(check_id: int) -> tuple[Facts, list[PastChange]]:
    """Return what is known of a check besides whether it is open, and what changed last."""
    raw = db.session().scalar(select(Watch.facts).where(Watch.check_id == check_id))
    return from_dict(raw), changes_of(raw)


def _keep(seen: Mapping[int, Seen]) -> None:
    news = [row.check_id for row in _rows(seen) if _learnt(row, seen[row.check_id]) is not None]
    if news:
        db.transaction(lambda: _write(news, seen))


def _write(check_ids: Collection[int], seen: Mapping[int, Seen]) -> None:
    # Read again: another prober may have told the same meanwhile.
    for row in _rows(check_ids, locked=True):
        learnt = _learnt(row, seen[row.check_id])
        if learnt is None:
            continue
        facts, changes = learnt
        at = seen[row.check_id].at
        told = [{"at": at.isoformat(), "kind": one.kind.value, "text": one.text} for one in changes]
        past = (row.facts or {}).get("changes", [])
        kept = {**to_dict(facts), "changes": [*told, *past][:CHANGES_KEPT]}
        db.writing().execute(update(Watch).where(Watch.check_id == row.check_id).values(facts=kept))
        for change in changes:
            alerts.raise_alert(_alert(row, change, at))


def _rows(check_ids: Collection[int], *, locked: bool = False) -> list[Row[Any]]:
    query = select(Watch.check_id, Watch.page_id, Watch.body_id, Watch.name, Watch.facts)
    query = query.where(Watch.check_id.in_(check_ids), Watch.watched.is_(True)).order_by(Watch.check_id)
    return list(db.session().execute(query.with_for_update() if locked else query))


def _learnt(row: Row[Any], seen: Seen) -> tuple[Facts, tuple[Change, ...]] | None:
    """Return what is known now and what changed; None when nothing is new."""
    known = from_dict(row.facts)
    facts, changes = learn(known, seen)
    return None if facts is known and not changes else (facts, changes)


def _alert(row: Row[Any], change: Change, at: datetime) -> Alert:
    expiring = change.kind is ChangeKind.CERTIFICATE_EXPIRING
    return Alert(
        topic=Topic.CERTIFICATE_EXPIRING if expiring else Topic.PAGE_CHANGED,
        severity=Severity.WARNING if change.urgent else Severity.INFO,
        title=f"{'证书将到期' if expiring else '网页有变化'}：{row.name}",
        text=change.text,
        body_id=row.body_id,
        city_code=None,
        group_key=f"{change.kind.value}:{row.check_id}",
        link=f"/wall/page/{row.page_id}",
        at=at,
    )
