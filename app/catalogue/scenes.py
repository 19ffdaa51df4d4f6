"""Scenes (场景导航): saved as versions, checked when saved, walked by residents to an item or an exit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.catalogue.content import Content, Material, materials_for
from app.catalogue.domain import SCENE_KEY, RelationKind
from app.catalogue.lines import ItemMatch
from app.catalogue.models import Scene, SceneVersion
from app.catalogue.reading import ItemPlace, item, places_of
from app.catalogue.related import RelatedItem, related_items
from app.catalogue.relations import live_variants
from app.catalogue.scene_script import Exit, Script, Walk, leaves, script_of, script_problems, walk
from app.catalogue.searching import nearest_items
from app.catalogue.versions import find_directory
from app.core import audit, db
from app.core.errors import Invalid, NotFound, Stale

_POSITION_STEP = 10
HISTORY_MAX = 100


@dataclass(frozen=True, slots=True)
class SceneView:
    """A scene as residents walk it now.

    Attributes:
        version: counts the times it was saved.
        sample: made up for trying the hall.
    """

    key: str
    version: int
    sample: bool
    script: Script

    @property
    def name(self) -> str:
        return self.script.name

    @property
    def summary(self) -> str:
        return self.script.summary


@dataclass(frozen=True, slots=True)
class SceneVersionView:
    """One version as it was saved."""

    number: int
    live: bool
    content: Mapping[str, Any]
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """The item at the end of a way.

    Attributes:
        item: as the nearest place carries it out; None where no place for this reader does.
        content: what its guide says; ``materials``: those of the variant.
        variant: code of the variant (情形), ``""`` when none is meant or this place knows it not.
        before: what to do first.
        elsewhere: who carries it out, where it is not carried out here.
    """

    item: ItemMatch | None
    variant: str
    variant_name: str
    before: tuple[RelatedItem, ...]
    elsewhere: tuple[ItemPlace, ...]
    content: Content | None = None

    @property
    def materials(self) -> tuple[Material, ...]:
        return materials_for(self.content, self.variant) if self.content else ()


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a reader stands: at a question, at an item, or at an exit."""

    scene: SceneView
    walk: Walk
    arrival: Arrival | None
    exit: Exit | None


def save_scene(
    key: str, content: Mapping[str, Any], *, seen: int, sample: bool = False, actor: str, now: datetime
) -> int:
    """Save the next version of a scene, which residents see from now on; return its number.

    Args:
        seen: number of the newest version that the writer knows, 0 for a new scene.

    Raises:
        Invalid: bad key, or the script has a dead end, a circle, an island, or an item that is not there.
        Stale: somebody saved it meanwhile.
    """
    if not SCENE_KEY.fullmatch(key):
        raise Invalid(
            "场景编号有误", fields={"key": ["小写字母开头，只含小写字母、数字、- 和 _，最多 40 个"]}
        )
    faults = scene_problems(content)
    if faults:
        raise Invalid("场景有误", fields={"content": faults})
    row = _locked(key)
    if row is None:
        row = _new(key, sample, now)
    number = _newest(row.id)
    if number != seen:
        raise Stale
    live = _live(row.id)
    if live is not None:
        live.live = None
        db.writing().flush()  # before the newer one: both may not be live at once
    db.writing().add(
        SceneVersion(
            scene_id=row.id,
            number=number + 1,
            live=1,
            content=dict(content),
            created_at=now,
            created_by=actor,
        )
    )
    db.writing().flush()
    audit.record(actor, "catalogue.scene_saved", "scene", row.id, {"key": key, "number": number + 1})
    return number + 1


def withdraw_scene(key: str, *, seen: int, actor: str) -> None:
    """Show a scene no longer; saving it again brings it back.

    Raises:
        NotFound: residents are not shown such a scene.
        Stale: somebody saved it meanwhile.
    """
    row = _locked(key)
    live = _live(row.id) if row else None
    if row is None or live is None:
        raise NotFound("没有这个场景")
    if _newest(row.id) != seen:
        raise Stale
    live.live = None
    audit.record(actor, "catalogue.scene_withdrawn", "scene", row.id, {"key": key, "number": live.number})


def scene_problems(content: Any) -> list[str]:
    """Return what is wrong with a script, in Chinese, dead ends among the items included."""
    faults = script_problems(content)
    return faults or dead_leaves(script_of(content))


def dead_leaves(script: Script) -> list[str]:
    """Return the choices that end at an item, or a variant, that nobody carries out now."""
    ends = list(leaves(script))
    known = live_variants(choice.to.item for _, choice in ends)
    found = []
    for question, choice in ends:
        to, place = choice.to, f"问题 {question.code} 的选项“{choice.text}”"
        variants = known.get((to.scheme, to.item))
        if variants is None:
            found.append(f"{place}：事项 {to.item} 没有单位在办")
        elif to.variant and to.variant not in variants:
            found.append(f"{place}：事项 {to.item} 没有情形 {to.variant}")
    return found


def scenes() -> list[SceneView]:
    """Return what residents may walk, in the order of the list."""
    query = (
        select(Scene, SceneVersion)
        .join(SceneVersion, SceneVersion.scene_id == Scene.id)
        .where(SceneVersion.live == 1)
        .order_by(Scene.position, Scene.key)
    )
    return [_view(row, version) for row, version in db.session().execute(query)]


def scene(key: str) -> SceneView:
    """Return a scene as residents walk it now.

    Raises:
        NotFound: there is none.
    """
    query = (
        select(Scene, SceneVersion)
        .join(SceneVersion, SceneVersion.scene_id == Scene.id)
        .where(Scene.key == key, SceneVersion.live == 1)
    )
    row = db.session().execute(query).first()
    if row is None:
        raise NotFound("没有这个场景")
    return _view(row[0], row[1])


def scene_versions(key: str) -> list[SceneVersionView]:
    """Return the versions of a scene, newest first, whether residents see one or not.

    Raises:
        NotFound: there was never such a scene.
    """
    query = (
        select(SceneVersion)
        .join(Scene, Scene.id == SceneVersion.scene_id)
        .where(Scene.key == key)
        .order_by(SceneVersion.number.desc())
        .limit(HISTORY_MAX)
    )
    found = [
        SceneVersionView(row.number, bool(row.live), row.content, row.created_at, row.created_by)
        for row in db.session().scalars(query)
    ]
    if not found:
        raise NotFound("没有这个场景")
    return found


def stand(key: str, answers: Sequence[str], region_code: str | None) -> Stand:
    """Return where these answers lead in a scene, for somebody in a region.

    Raises:
        NotFound: there is no such scene.
        Invalid: there is no such region.
    """
    view = scene(key)
    found = walk(view.script, answers)
    to = found.target
    return Stand(
        scene=view,
        walk=found,
        arrival=_arrive(to.scheme, to.item, to.variant, region_code) if to and to.item else None,
        exit=view.script.exits[to.exit] if to and to.exit else None,
    )


def _arrive(scheme: str, code: str, variant: str, region_code: str | None) -> Arrival:
    directory_id = find_directory(scheme, code)
    if directory_id is None:
        return Arrival(None, "", "", (), ())
    match = nearest_items([directory_id], region_code).get(directory_id)
    if match is None:
        return Arrival(None, "", "", (), tuple(places_of(directory_id, limit=HISTORY_MAX)))
    # What the version of this place says counts: it may know the variant under another code, or not.
    content = item(match.id).content
    names = {one.code: one.name for one in content.variants}
    known = variant if variant in names else ""
    related = related_items(directory_id, region_code or match.region_code, variant=known or None)
    first = (RelationKind.PREREQUISITE, False)
    before = tuple(one for one in related if (one.kind, one.backwards) == first)
    return Arrival(match, known, names.get(known, ""), before, (), content)


def _view(row: Scene, version: SceneVersion) -> SceneView:
    return SceneView(row.key, version.number, row.sample, script_of(version.content))


def _locked(key: str) -> Scene | None:
    return db.writing().scalar(select(Scene).where(Scene.key == key).with_for_update())


def _new(key: str, sample: bool, now: datetime) -> Scene:
    last = db.writing().scalar(select(func.max(Scene.position))) or 0
    row = Scene(key=key, position=last + _POSITION_STEP, sample=sample, created_at=now)
    try:
        with db.writing().begin_nested():
            db.writing().add(row)
    except IntegrityError:
        raise Stale from None  # somebody else made it in this moment
    return row


def _live(scene_id: int) -> SceneVersion | None:
    query = select(SceneVersion).where(SceneVersion.scene_id == scene_id, SceneVersion.live == 1)
    return db.writing().scalar(query)


def _newest(scene_id: int) -> int:
    query = select(func.max(SceneVersion.number)).where(SceneVersion.scene_id == scene_id)
    return db.writing().scalar(query) or 0
