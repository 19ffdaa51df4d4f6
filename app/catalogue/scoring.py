"""Scores of bodies by the quality of their items, and what to mend first."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from app.catalogue.desk_reading import StandingLine, lowest
from app.catalogue.models import ItemFault, ItemStanding
from app.catalogue.quality import BY_CODE
from app.catalogue.quality_rules import Rule
from app.core import db
from app.core.access import Permission
from app.core.errors import NotFound
from app.organisations import service as organisations
from app.organisations.service import BodyView, Principal


@dataclass(frozen=True, slots=True)
class BodyScore:
    """``score`` is the mean over the body's items, of 100."""

    body_id: int
    body_name: str
    region_name: str
    item_count: int
    score: float
    lowest: int


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How many items break a rule; ``cost`` is what that takes from all their scores together."""

    rule: Rule
    item_count: int
    cost: int


@dataclass(frozen=True, slots=True)
class BodyQuality:
    body: BodyView
    score: BodyScore | None
    rules: list[RuleCount]
    worst: list[StandingLine]


def scores(by: Principal) -> list[BodyScore]:
    """Return the scores of the bodies in the caller's scope, the best first."""
    query = (
        select(
            ItemStanding.body_id,
            func.count(ItemStanding.score),
            func.avg(ItemStanding.score),
            func.min(ItemStanding.score),
        )
        .where(
            organisations.scope_condition(by, Permission.ITEMS_READ, ItemStanding.body_id),
            ItemStanding.score.is_not(None),
        )
        .group_by(ItemStanding.body_id)
    )
    bodies = {one.id: one for one in organisations.bodies()}
    found = [
        BodyScore(
            body_id, bodies[body_id].full_name, bodies[body_id].region_name, count, round(float(mean), 1), low
        )
        for body_id, count, mean, low in db.session().execute(query)
    ]
    return sorted(found, key=lambda one: (-one.score, one.body_name))


def rule_counts(by: Principal, body_id: int | None = None) -> list[RuleCount]:
    """Return which rules are broken in the caller's scope, those first whose mending gains most."""
    query = (
        select(ItemFault.rule, func.count())
        .where(organisations.scope_condition(by, Permission.ITEMS_READ, ItemFault.body_id))
        .group_by(ItemFault.rule)
    )
    if body_id is not None:
        query = query.where(ItemFault.body_id == body_id)
    found = [
        RuleCount(BY_CODE[code], count, count * BY_CODE[code].weight)
        for code, count in db.session().execute(query)
        if code in BY_CODE
    ]
    return sorted(found, key=lambda one: (-one.cost, one.rule.code))


def body_quality(by: Principal, body_id: int) -> BodyQuality:
    """Return the score of a body, what to mend first, and its lowest items.

    Raises:
        NotFound: there is no such body in the caller's scope.
    """
    if not organisations.covers(by, Permission.ITEMS_READ, body_id):
        raise NotFound("没有这个单位")
    mine = next((one for one in scores(by) if one.body_id == body_id), None)
    return BodyQuality(organisations.get_body(body_id), mine, rule_counts(by, body_id), lowest(by, body_id))
