"""Relations as residents read them: what to do first, what goes together, where the result serves."""

from __future__ import annotations

from dataclasses import dataclass

from app.catalogue.domain import RelationKind
from app.catalogue.lines import ItemMatch
from app.catalogue.relations import Relation, all_relations_of, variants_of
from app.catalogue.searching import nearest_items


@dataclass(frozen=True, slots=True)
class RelatedItem:
    """An item at the other end of a relation, as the nearest place carries it out.

    Attributes:
        words: what the relation means for who reads the guide.
        variant: code of the variant (情形) it holds for, ``""`` for all; ``variant_name`` its name.
    """

    kind: RelationKind
    backwards: bool
    words: str
    variant: str
    variant_name: str
    item: ItemMatch


_WORDS = {
    (RelationKind.PREREQUISITE, False): "先办",
    (RelationKind.PARALLEL, False): "可同时办",
    (RelationKind.EXCLUSIVE, False): "不能与下面的事项同时办",
    (RelationKind.RESULT_FEEDS, False): "结果可用于",
    (RelationKind.RESULT_FEEDS, True): "可以使用下面事项的结果",
    (RelationKind.PREREQUISITE, True): "办完以后可以接着办",
}
"""In the order in which people need them."""


def related_items(
    directory_id: int, region_code: str | None = None, *, variant: str | None = None
) -> list[RelatedItem]:
    """Return what stands in relation to an item, in the order of reading.

    Args:
        region_code: where the reader lives; what is carried out elsewhere only is named as it is there.
        variant: leave out what holds for other variants only; None keeps all.

    Raises:
        Invalid: there is no such region.
    """
    relations = [
        one for one in all_relations_of(directory_id) if variant is None or one.variant in {"", variant}
    ]
    if not relations:
        return []
    others = sorted({one.other_directory_id for one in relations})
    items = nearest_items(others, None) | nearest_items(others, region_code)
    names = variants_of(directory_id) if any(one.variant for one in relations) else {}
    order = list(_WORDS)
    shown = [one for one in relations if one.other_directory_id in items]
    shown.sort(key=lambda one: (order.index((one.kind, one.backwards)), items[one.other_directory_id].name))
    return [_related(one, items[one.other_directory_id], names) for one in shown]


def _related(relation: Relation, item: ItemMatch, names: dict[str, str]) -> RelatedItem:
    return RelatedItem(
        kind=relation.kind,
        backwards=relation.backwards,
        words=_WORDS[relation.kind, relation.backwards],
        variant=relation.variant,
        variant_name=names.get(relation.variant, ""),
        item=item,
    )
