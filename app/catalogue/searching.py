"""Finding items by everyday words, names, materials, pinyin and initials, ranked, by region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Label,
    Select,
    Subquery,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from app.catalogue import lines, terms
from app.catalogue.content import Content, from_json
from app.catalogue.domain import DOMAIN_LABELS, LIMIT_MAX, QUERY_MAX, Domain
from app.catalogue.lines import ItemMatch
from app.catalogue.models import ItemDirectory, ItemImplementation, ItemTerm, ItemVersion
from app.catalogue.reach import Reach, reach_of
from app.catalogue.terms import Phrase
from app.core import db

_NAME, _SYNONYM, _DOMAIN, _VARIANT, _RESULT, _MATERIAL, _SUMMARY = 6, 6, 3, 3, 2, 2, 1
_CANDIDATES = 200
_POSTINGS = 1000
"""So many items of a term are looked at, the weightiest first; a term with more is common."""
_STALE = "catalogue_stale_terms"
_WORTH_SHOWING = 0.3
"""How good a match must be, beside the best one."""
_WHOLE = ItemTerm.term.startswith(f"{terms.WHOLE}:").label("whole")


def search(text: str, region_code: str | None = None, *, limit: int = 10) -> list[ItemMatch]:
    """Return the items that fit the words of a resident, best first; nothing when nothing fits.

    Each item comes once, as the nearest place carries it out.

    Raises:
        Invalid: there is no such region.
    """
    reach = reach_of(region_code)
    for way in terms.asked(text[:QUERY_MAX]):
        found = _matches(_scored(way, reach), reach, min(limit, LIMIT_MAX))
        if found:
            return found
    return []


def listing(
    region_code: str | None = None,
    *,
    domain: Domain | None = None,
    after: str | None = None,
    limit: int = 20,
) -> tuple[list[ItemMatch], str | None]:
    """Return items by their name as a place carries them out, and where to go on; None at the end.

    Args:
        domain: only those of one field of life; None for all.

    Raises:
        Invalid: there is no such region.
    """
    name, _, code = (after or "").rpartition("|")
    limit = min(limit, LIMIT_MAX)
    found = lines.page(reach_of(region_code), (name, code) if after else None, limit + 1, domain)
    shown = found[:limit]
    matches = [match for _, _, match in shown]
    return matches, f"{shown[-1][0]}|{shown[-1][1]}" if len(found) > limit else None


def _scored(way: terms.Way, reach: Reach) -> list[tuple[int, float]]:
    """Return the items carried out here that fit a query well beside the best one, best first."""
    telling, cut_short = _told_apart(way)
    found = _best(telling, 1 if cut_short else way.least, reach)
    if cut_short and found:
        # What everybody has tells little, but it decides between those that were found without it.
        among = ItemTerm.directory_id.in_([directory_id for directory_id, _ in found])
        rarity = case(telling, value=ItemTerm.term, else_=1)
        postings = select(ItemTerm.directory_id, _told(rarity), _WHOLE).where(
            ItemTerm.term.in_(way.terms), among
        )
        found = _ranked(postings.subquery(), way.least)
    return [one for one in found if one[1] >= found[0][1] * _WORTH_SHOWING]


def _told_apart(way: terms.Way) -> tuple[dict[str, int], bool]:
    """Return the terms to look up with their rarity, and whether that leaves anything out.

    Terms that thousands of items have are looked up only where there is no other, and then not to their end.
    """
    counts = [
        select(literal(term), select(func.count()).select_from(_postings(term).subquery()).scalar_subquery())
        for term in sorted(way.terms)
    ]
    known = {term: count for term, count in db.session().execute(union_all(*counts)) if count}
    rare = {term: 1 if way.slips else _rarity(count) for term, count in known.items() if count < _POSTINGS}
    return rare or dict.fromkeys(sorted(known), 1), len(rare) < len(known)


def _rarity(count: int) -> int:
    """Return how much a term tells that ``count`` items have: 1 where nearly all do, 11 where one does."""
    return round(log2(2 * _POSTINGS / count))


def _told(rarity: ColumnElement[int] | int) -> Label[int]:
    return (ItemTerm.weight * rarity).label("weight")


def _postings(term: str, rarity: int = 1) -> Select[int, int, bool]:
    """Return the items that have a term, those first to whom it matters most."""
    return (
        select(ItemTerm.directory_id, _told(rarity), _WHOLE)
        .where(ItemTerm.term == term)
        .order_by(ItemTerm.weight.desc(), ItemTerm.directory_id.desc())
        .limit(_POSTINGS)
    )


def _best(asked: Mapping[str, int], least: int, reach: Reach) -> list[tuple[int, float]]:
    if not asked:
        return []
    postings = union_all(
        *(select(_postings(term, rarity).subquery()) for term, rarity in asked.items())
    ).subquery()
    here = lines.carried_out(postings.c.directory_id, somewhere=reach.codes is None)
    return _ranked(postings, least, here, given=lines.bound(reach))


def _ranked(
    postings: Subquery,
    least: int,
    *conditions: ColumnElement[bool],
    given: Mapping[str, Any] = MappingProxyType({}),
) -> list[tuple[int, float]]:
    # What has more of the words is better than what has one of them in a better place. The whole phrase
    # counts by its weight only: it is one of two spellings.
    counted = func.sum(case((postings.c.whole, 0), else_=1))
    score = func.sum(postings.c.weight) * (counted + 1)
    query = (
        select(postings.c.directory_id, score.label("score"))
        .where(*conditions)
        .group_by(postings.c.directory_id)
        .having(func.count() >= least)
        .order_by(score.desc(), postings.c.directory_id)
        .limit(_CANDIDATES)
    )
    # MariaDB sums to decimals.
    return [(row.directory_id, float(row.score)) for row in db.session().execute(query, dict(given))]


def _matches(scored: Sequence[tuple[int, float]], reach: Reach, limit: int) -> list[ItemMatch]:
    """Return the nearest implementations of the first items; of what fits as well, the nearest first."""
    score = dict(scored[:limit])
    found = lines.nearest(list(score), reach)

    def order(one: int) -> tuple[float, int, int, str]:
        match = found[one]
        # A short name is the general case: 结婚登记 before 涉外结婚登记.
        return -score[one], reach.rank(match.region_code), len(match.name), match.name

    return [found[one] for one in sorted(found, key=order)]


def nearest_items(directory_ids: Sequence[int], region_code: str | None) -> dict[int, ItemMatch]:
    """Return items as the nearest place carries them out, by directory entry; nothing of elsewhere.

    Raises:
        Invalid: there is no such region.
    """
    return lines.nearest(directory_ids, reach_of(region_code))


def phrases_of(name: str, domain: Domain, content: Content) -> set[Phrase]:
    """Return the words that an item is found by; ``name`` is the directory's."""
    found = {Phrase(name, _NAME), Phrase(content.name, _NAME), Phrase(DOMAIN_LABELS[domain], _DOMAIN)}
    found |= {Phrase(word, _SYNONYM) for word in content.synonyms}
    told = [(content.summary, _SUMMARY)]
    told += [(one.name, _MATERIAL) for one in content.materials]
    told += [(one.name, _RESULT) for one in content.results]
    told += [(one.name, _VARIANT) for one in content.variants]
    # Nobody types the initials of a sentence; they would be most of the table.
    return found | {Phrase(text, weight, by_sound=False) for text, weight in told}


def reindex(directory_id: int) -> None:
    """Write the terms of an item anew, once, at the end of the transaction; the item's row must be locked."""
    db.writing().info.setdefault(_STALE, set()).add(directory_id)


@db.before_commit
def _reindex_stale(session: Session) -> None:
    for directory_id in sorted(session.info.pop(_STALE, ())):
        _write_terms(directory_id)


def _write_terms(directory_id: int) -> None:
    directory = db.writing().get_one(ItemDirectory, directory_id)
    query = (
        select(ItemVersion.content)
        .join(ItemImplementation, ItemImplementation.id == ItemVersion.implementation_id)
        .where(ItemImplementation.directory_id == directory_id, ItemVersion.live == 1)
    )
    phrases: set[Phrase] = set()
    for raw in db.writing().scalars(query):
        phrases |= phrases_of(directory.name, directory.domain, from_json(raw))
    db.writing().execute(delete(ItemTerm).where(ItemTerm.directory_id == directory_id))
    rows = [
        {"term": term, "directory_id": directory_id, "weight": weight}
        for term, weight in terms.terms_of(phrases).items()
    ]
    if rows:
        db.writing().execute(insert(ItemTerm), rows)
