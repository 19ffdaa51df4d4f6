"""Asking another prober: a check in doubt is looked at from elsewhere too before it is held down."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select

from app.core import db
from app.monitoring.models import SecondOpinion


@dataclass(slots=True)
class Opinions:
    """Gathers what a batch wants asked or need not be asked any more, and writes it at once."""

    prober: str
    _asked: dict[int, datetime] = field(default_factory=dict)
    _settled: list[int] = field(default_factory=list)

    def note(self, check_id: int, before: bool, now: bool, at: datetime | None) -> None:
        """Note whether a second look was and is wanted."""
        if now and not before and at is not None:
            self._asked[check_id] = at
        elif before and not now:
            self._settled.append(check_id)

    def settle(self) -> None:
        """Write what was gathered in the running transaction."""
        if self._settled:
            gone = delete(SecondOpinion).where(SecondOpinion.check_id.in_(self._settled))
            db.writing().execute(gone.execution_options(synchronize_session=False))
        if self._asked:
            rows = [
                {"check_id": check_id, "asked_by": self.prober, "asked_at": at}
                for check_id, at in sorted(self._asked.items())
            ]
            db.writing().execute(db.insert_ignoring(SecondOpinion), rows)


def asked_of(prober: str, alive: Collection[str]) -> set[int]:
    """Return the checks at which ``prober`` is asked to look too.

    Of each, the prober whose name follows the asker's is asked, so that one does and not all.
    """
    asking = dict.fromkeys(one for one in alive if _next(one, alive) == prober and one != prober)
    query = select(SecondOpinion.check_id).where(SecondOpinion.asked_by.in_(asking))
    return set(db.session().scalars(query)) if asking else set()


def _next(prober: str, alive: Collection[str]) -> str:
    return min((one for one in alive if one > prober), default=min(alive))
