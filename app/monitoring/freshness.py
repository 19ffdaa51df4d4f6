"""Until when a look's word stands: by the rules of each city and by the checks' own intervals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, literal, or_

from app.monitoring.domain import Terms
from app.monitoring.live import SecondsBetween
from app.monitoring.models import PageCheck, Watch
from app.monitoring.policy import book, rules_for, terms_of_bodies
from app.monitoring.reckoning import Paces, paces, paces_of
from app.monitoring.rules import terms_of


def terms_now(now: datetime) -> Terms:
    """Return the terms that hold in the province; cities may have others."""
    return terms_of(rules_for(None, now))


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long looks are believed: usually, in bodies of cities with other rules, by own intervals.

    Attributes:
        spare: what is added to three intervals of a check that has its own.
    """

    pace: Paces
    usual: timedelta
    spare: timedelta
    bodies: tuple[tuple[timedelta, tuple[int, ...]], ...] = ()

    @classmethod
    def load(cls, terms: Terms | None, now: datetime) -> Freshness:
        """Read what differs from ``terms`` (None: the province's); a short query where nothing does."""
        held = book(now)
        terms = terms or terms_of(held.province)
        spare = terms.fresh - 3 * timedelta(seconds=terms.interval_seconds)
        if not held.cities:
            return cls(paces(terms), terms.fresh, spare)
        rules = terms_of_bodies(now, held)
        differing: dict[timedelta, list[int]] = defaultdict(list)
        for body_id in rules.rules:
            fresh = rules.of(body_id).fresh
            if fresh != terms.fresh:
                differing[fresh].append(body_id)
        bodies = tuple((fresh, tuple(ids)) for fresh, ids in differing.items())
        return cls(paces_of(rules.of), terms.fresh, spare, bodies)

    def stale(self, now: datetime) -> ColumnElement[bool]:
        """Return the condition that no look at a check has come for too long.

        The query must join :class:`PageCheck` by the check's id from outside.
        """
        usual = self._instant(now - self.usual)
        whens = [(Watch.body_id.in_(ids), self._instant(now - fresh)) for fresh, ids in self.bodies]
        every = PageCheck.interval_seconds
        waited = SecondsBetween(Watch.sampled_at, self._instant(now))
        return or_(
            Watch.sampled_at.is_(None),
            and_(every.is_(None), Watch.sampled_at < (case(*whens, else_=usual) if whens else usual)),
            and_(every.is_not(None), waited > 3 * every + self.spare.total_seconds()),
        )

    def of(self, body_id: int, interval_seconds: int | None) -> timedelta:
        """Return how long the word of a look at one check stands."""
        if interval_seconds is not None:
            return 3 * timedelta(seconds=interval_seconds) + self.spare
        return next((fresh for fresh, ids in self.bodies if body_id in ids), self.usual)

    @staticmethod
    def _instant(at: datetime) -> ColumnElement[datetime]:
        return literal(at, Watch.sampled_at.type)
