"""Finding items by everyday words, names, materials, pinyin and initials, ranked, by region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from app.catalogue import terms
from app.catalogue.content import Content, from_json
from app.catalogue.domain import DOMAIN_LABELS, LIMIT_MAX, QUERY_MAX, Domain, VersionState
from app.catalogue.models import ItemDirectory, ItemImplementation, ItemTerm, ItemVersion
from app.catalogue.reach import Reach, reach_of
from app.catalogue.terms import Phrase
from app.core import db
from app.organisations import service as organisations

_NAME, _SYNONYM, _DOMAIN, _RESULT, _MATERIAL, _SUMMARY = 6, 6, 3, 2, 2, 1
_CANDIDATES = 200
_POSTINGS = 1000
"""So many items of a term are looked at, the weightiest first; a term with more is common."""
_STALE = "catalogue_stale_terms"
_WORTH_SHOWING = 0.3
"""How good a match must be, beside the best one."""
_POSTING = (
    ItemTerm.directory_id,
    ItemTerm.weight,
    ItemTerm.term.startswith(f"{terms.WHOLE}:").label("whole"),
)


@dataclass(frozen=True, slots=True)
class ItemMatch:
    """One item as a list shows it.

    Attributes:
        id: of the implementation; what the guide's address names.
        online: one can apply here and now.
        page_id: the body's own mobile page for it, None when there is none.
    """

    id: int
    name: str
    body_name: str
    region_code: str
    region_name: str
    summary: str
    online: bool
    sample: bool
    page_id: int | None


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

    Raises:
        Invalid: there is no such region.
    """
    reach = reach_of(region_code)
    limit = min(limit, LIMIT_MAX)
    # By name, which people can read; those that share one are told apart by the code.
    name, code = ItemDirectory.name, ItemDirectory.code
    query = select(ItemDirectory.id, name, code).where(_carried_out(reach, ItemDirectory.id))
    if domain is not None:
        query = query.where(ItemDirectory.domain == domain)
    if after:
        last_name, _, last_code = after.rpartition("|")
        query = query.where(or_(name > last_name, and_(name == last_name, code > last_code)))
    rows = list(db.session().execute(query.order_by(name, code).limit(limit + 1)))
    shown = rows[:limit]
    found = _matches([row.id for row in shown], reach, limit)
    return found, f"{shown[-1].name}|{shown[-1].code}" if len(rows) > limit else None


def _scored(way: terms.Way, reach: Reach) -> list[int]:
    """Return the items carried out here that fit a query well beside the best one, best first."""
    telling, common = _told_apart(way)
    found = _best(telling, way.least if not common else 1, reach)
    if common and found:
        # What everybody has tells little, but it decides between those that the rarer words found.
        among = ItemTerm.directory_id.in_([directory_id for directory_id, _ in found])
        found = _ranked(select(*_POSTING).where(ItemTerm.term.in_(way.terms), among).subquery(), way.least)
    return [directory_id for directory_id, score in found if score >= found[0][1] * _WORTH_SHOWING]


def _told_apart(way: terms.Way) -> tuple[list[str], list[str]]:
    """Return the terms to look up, and those left out because thousands of items have them."""
    counts = [
        select(literal(term), select(func.count()).select_from(_postings(term).subquery()).scalar_subquery())
        for term in sorted(way.terms)
    ]
    known = {term: count for term, count in db.session().execute(union_all(*counts)) if count}
    rare = [term for term, count in known.items() if count < _POSTINGS]
    return (rare, sorted(known.keys() - set(rare))) if rare else (sorted(known), [])


def _postings(term: str) -> Select[int, int, bool]:
    """Return the items that have a term, those first to whom it matters most."""
    return (
        select(*_POSTING)
        .where(ItemTerm.term == term)
        .order_by(ItemTerm.weight.desc(), ItemTerm.directory_id.desc())
        .limit(_POSTINGS)
    )


def _best(asked: Sequence[str], least: int, reach: Reach) -> list[tuple[int, float]]:
    if not asked:
        return []
    postings = union_all(*(select(_postings(term).subquery()) for term in asked)).subquery()
    return _ranked(postings, least, _carried_out(reach, postings.c.directory_id))


def _ranked(postings: Subquery, least: int, *conditions: ColumnElement[bool]) -> list[tuple[int, float]]:
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
    return [(row.directory_id, float(row.score)) for row in db.session().execute(query)]


def _carried_out(reach: Reach, directory_id: Any) -> ColumnElement[bool]:
    found = (
        select(ItemImplementation.id)
        .join(ItemVersion, ItemVersion.implementation_id == ItemImplementation.id)
        .where(ItemImplementation.directory_id == directory_id, ItemVersion.live == 1)
    )
    if reach.codes is not None:
        found = found.where(ItemImplementation.region_code.in_(reach.codes))
    return found.exists()


def _matches(directory_ids: Sequence[int], reach: Reach, limit: int) -> list[ItemMatch]:
    """Return the nearest implementations of the first items that are carried out here, in their order."""
    nearest: dict[int, int] = {}
    for start in range(0, len(directory_ids), limit):  # mostly the first are carried out here
        nearest |= _nearest(directory_ids[start : start + limit], reach)
        if len(nearest) >= limit:
            break
    shown = [one for one in directory_ids if one in nearest][:limit]
    found = _by_directory([nearest[one] for one in shown])
    return [found[one] for one in shown if one in found]


def nearest_items(directory_ids: Sequence[int], region_code: str | None) -> dict[int, ItemMatch]:
    """Return items as the nearest place carries them out, by directory entry; nothing of elsewhere.

    Raises:
        Invalid: there is no such region.
    """
    return _by_directory(list(_nearest(directory_ids, reach_of(region_code)).values()))


def _by_directory(implementation_ids: Sequence[int]) -> dict[int, ItemMatch]:
    if not implementation_ids:
        return {}
    query = (
        select(ItemImplementation, ItemVersion.content, ItemVersion.state, ItemDirectory.sample)
        .join(ItemVersion, ItemVersion.implementation_id == ItemImplementation.id)
        .join(ItemDirectory, ItemDirectory.id == ItemImplementation.directory_id)
        .where(ItemImplementation.id.in_(implementation_ids), ItemVersion.live == 1)
    )
    rows = db.session().execute(organisations.join_body(query, ItemImplementation.body_id))
    return {row[0].directory_id: _match(row) for row in rows}


def _match(row: Row[*tuple[Any, ...]]) -> ItemMatch:
    implementation, content, state, sample = row[:4]
    body = organisations.joined_body(row)
    return ItemMatch(
        id=implementation.id,
        name=str(content["name"]),
        body_name=body.full_name,
        region_code=implementation.region_code,
        region_name=body.region_name,
        summary=str(content["summary"]),
        online=bool(content["online"]) and state is VersionState.PUBLISHED,
        sample=sample,
        page_id=implementation.page_id,
    )


def _nearest(directory_ids: Sequence[int], reach: Reach) -> dict[int, int]:
    """Return the id of the nearest live implementation by item."""
    live = (
        select(ItemImplementation.directory_id, ItemImplementation.id, ItemImplementation.region_code)
        .join(ItemVersion, ItemVersion.implementation_id == ItemImplementation.id)
        .where(ItemImplementation.directory_id.in_(directory_ids), ItemVersion.live == 1)
    )
    if reach.codes is not None:
        live = live.where(ItemImplementation.region_code.in_(reach.codes))
    found: dict[int, tuple[int, str, int]] = {}
    for directory_id, implementation_id, region_code in db.session().execute(live):
        # Codes sort the province before its cities, for those who ask from nowhere in particular.
        rank = (reach.rank(region_code), region_code, implementation_id)
        found[directory_id] = min(rank, found.get(directory_id, rank))
    return {directory_id: rank[-1] for directory_id, rank in found.items()}


def phrases_of(name: str, domain: Domain, content: Content) -> set[Phrase]:
    """Return the words that an item is found by; ``name`` is the directory's."""
    found = {Phrase(name, _NAME), Phrase(content.name, _NAME), Phrase(DOMAIN_LABELS[domain], _DOMAIN)}
    found |= {Phrase(word, _SYNONYM) for word in content.synonyms}
    told = [(content.summary, _SUMMARY)]
    told += [(one.name, _MATERIAL) for one in content.materials]
    told += [(one.name, _RESULT) for one in content.results]
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
