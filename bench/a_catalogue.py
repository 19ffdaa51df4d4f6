"""A catalogue of a hundred thousand items in bulk, made of words as real items are."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, insert

from app.catalogue import terms
from app.catalogue.models import ItemDirectory, ItemImplementation, ItemTerm, ItemVersion
from app.catalogue.searching import phrases_of
from app.catalogue.service import Domain, ItemType, VersionState, from_json
from app.core.ids import new_id
from app.organisations import service as organisations
from config.items import SampleItem, samples

ITEMS = 100_000
MADE_AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PORTION = 2_000

_WORDS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


def names(count: int) -> Iterator[str]:
    """Yield ``count`` different names, e.g. ``食品经营许可（企业，园区）``."""
    every = list(itertools.product(*(_WORDS[kind] for kind in ("trades", "acts", "forms", "places"))))
    random.Random(7).shuffle(every)
    for trade, act, form, place in every[:count]:
        yield f"{trade}{act}（{form}，{place}）"


def asked() -> list[str]:
    """Return what people type besides names: everyday words, slips, pinyin."""
    return list(_WORDS["asked"])


def fill(engine: Engine, count: int = ITEMS) -> list[int]:
    """Put ``count`` published items into an empty catalogue; return their ids."""
    bodies = organisations.bodies()
    made = [one for one in samples() if one.form is not None]
    chance = random.Random(11)
    item_ids: list[int] = []
    found: list[tuple[str, int, int]] = []
    for portion in _portions(list(names(count))):
        rows: dict[Any, list[dict[str, Any]]] = {
            ItemDirectory: [],
            ItemImplementation: [],
            ItemVersion: [],
        }
        for name in portion:
            sample = made[len(item_ids) % len(made)]
            body = bodies[len(item_ids) % len(bodies)]
            words = tuple(chance.sample(_WORDS["words"], 2))
            content = {**sample.content, "name": name, "synonyms": words}
            directory_id = _rows(rows, name, sample, content, body.id, body.region_code)
            item_ids.append(rows[ItemImplementation][-1]["id"])
            phrases = phrases_of(name, Domain(sample.domain), from_json(content))
            found += [(term, directory_id, weight) for term, weight in terms.terms_of(phrases).items()]
        with engine.begin() as connection:
            for model, given in rows.items():
                connection.execute(insert(model), given)
    # In the order of the key: a table that is filled at its end is filled several times faster.
    found.sort()
    for at in range(0, len(found), 50_000):
        with engine.begin() as connection:
            connection.execute(
                insert(ItemTerm),
                [
                    {"term": term, "directory_id": directory_id, "weight": weight}
                    for term, directory_id, weight in found[at : at + 50_000]
                ],
            )
    return item_ids


def _portions(all_names: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(all_names), PORTION):
        yield all_names[at : at + PORTION]


def _rows(
    rows: Mapping[Any, list[dict[str, Any]]],
    name: str,
    sample: SampleItem,
    content: Mapping[str, Any],
    body_id: int,
    region_code: str,
) -> int:
    directory_id, implementation_id = new_id(), new_id()
    coded = {"code": f"B{directory_id}", "code_scheme": "bench", "created_at": MADE_AT}
    rows[ItemDirectory].append(
        {
            "id": directory_id,
            **coded,
            "name": name,
            "item_type": ItemType(sample.item_type),
            "domain": Domain(sample.domain),
            "legal_basis": [dict(one) for one in sample.legal_basis],
            "sample": True,
        }
    )
    rows[ItemImplementation].append(
        {
            "id": implementation_id,
            **coded,
            "directory_id": directory_id,
            "body_id": body_id,
            "region_code": region_code,
            "page_id": None,
        }
    )
    rows[ItemVersion].append(
        {
            "id": new_id(),
            "implementation_id": implementation_id,
            "number": 1,
            "state": VersionState.PUBLISHED,
            "live": 1,
            "content": content,
            "form": sample.form,
            "effective_on": MADE_AT.date(),
            "created_at": MADE_AT,
            "created_by": "bench",
            "published_at": MADE_AT,
            "ended_at": None,
        }
    )
    return directory_id
