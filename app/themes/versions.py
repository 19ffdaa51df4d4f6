"""Writing themes: drafts, their check, publication, and what items have changed since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, tuple_

from app.catalogue import service as catalogue
from app.catalogue.service import ItemView
from app.core import audit, db
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.themes import definition as definitions
from app.themes import invariants, merging
from app.themes.availability import Catalogue, Placed
from app.themes.definition import Definition
from app.themes.domain import (
    VERSION_LABELS,
    RelationKind,
    VersionMoveNotAllowed,
    VersionState,
)
from app.themes.merging import Finding
from app.themes.models import Theme, ThemeVersion

_PROMOTED = frozenset({"no_such_field", "no_such_material"})


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version as staff see it; ``version`` is for optimistic writing."""

    id: int
    theme_id: int
    number: int
    state: VersionState
    version: int
    definition: Definition
    written: Mapping[str, Any]
    built_on: Mapping[str, str]
    created_at: datetime
    created_by: str
    published_at: datetime | None

    @property
    def name(self) -> str:
        return self.definition.name


def draft(raw: Mapping[str, Any], *, actor: str, now: datetime) -> int:
    """Begin the next version of a theme, or a new theme; return the version's id.

    Raises:
        Invalid: the definition is not sound.
        Conflict: a draft of this theme lies there already.
    """
    wanted = definitions.read(raw)
    theme = db.writing().scalar(select(Theme).where(Theme.code == wanted.code).with_for_update())
    if theme is None:
        theme = Theme(code=wanted.code, sample=wanted.sample, created_at=now)
        db.writing().add(theme)
        db.writing().flush()
    versions = list(db.writing().scalars(select(ThemeVersion).where(ThemeVersion.theme_id == theme.id)))
    if any(one.state is VersionState.DRAFT for one in versions):
        raise Conflict("这个主题已有一份草稿，请先改完或发布它")
    row = ThemeVersion(
        theme_id=theme.id,
        number=max((one.number for one in versions), default=0) + 1,
        state=VersionState.DRAFT,
        version=1,
        live=None,
        definition=dict(raw),
        built_on={},
        created_at=now,
        created_by=actor,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(actor, "theme.version_drafted", "theme_version", row.id, {"number": row.number})
    return row.id


def edit(version_id: int, raw: Mapping[str, Any], *, version: int, actor: str) -> None:
    """Change a draft.

    Raises:
        NotFound: no such version.
        Stale: somebody changed it meanwhile.
        VersionMoveNotAllowed: it left the draft; what was published is never changed.
        Invalid: the definition is not sound, or is another theme's.
    """
    row = _locked(version_id, version)
    _demand(row, VersionState.DRAFT)
    wanted = definitions.read(raw)
    if wanted.code != db.writing().get_one(Theme, row.theme_id).code:
        raise Invalid("主题的编码不能改", fields={"code": ["主题的编码不能改"]})
    row.definition = dict(raw)
    row.version += 1
    audit.record(actor, "theme.version_edited", "theme_version", row.id)


def publish(version_id: int, *, version: int, actor: str, now: datetime) -> list[Finding]:
    """Bring a draft into force; the older version is superseded in the same transaction.

    Returns:
        What is odd about it, and does no harm.

    Raises:
        NotFound: no such version.
        Stale: somebody changed it meanwhile.
        VersionMoveNotAllowed: it is no draft.
        Invalid: the check found something that must be mended; ``fields`` says what.
    """
    row = _locked(version_id, version)
    _demand(row, VersionState.DRAFT)
    wanted, known = definitions.read(row.definition), Catalogue()
    findings = checked(wanted, known)
    errors = [one.text for one in findings if one.error]
    if errors:
        raise Invalid("主题检查未通过", fields={"definition": errors})
    # The theme's row keeps two publications apart; the unique key would only say so afterwards.
    db.writing().get_one(Theme, row.theme_id, with_for_update=True)
    older = db.writing().scalar(
        select(ThemeVersion).where(ThemeVersion.theme_id == row.theme_id, ThemeVersion.live == 1)
    )
    if older is not None:
        _end(older, VersionState.SUPERSEDED, now)
        audit.record(actor, "theme.version_superseded", "theme_version", older.id, {"by": row.number})
        db.writing().flush()
    row.state, row.live, row.published_at = VersionState.PUBLISHED, 1, now
    row.built_on = _built_on(wanted, known)
    row.version += 1
    audit.record(actor, "theme.version_published", "theme_version", row.id, {"number": row.number})
    return findings


def retire(version_id: int, *, version: int, reason: str, actor: str, now: datetime) -> None:
    """Take a theme out of use; applications under way go on.

    Raises:
        NotFound: no such version.
        Stale: somebody changed it meanwhile.
        VersionMoveNotAllowed: it is not in force.
        Invalid: no reason is given.
    """
    row = _locked(version_id, version)
    _demand(row, VersionState.PUBLISHED)
    if not reason.strip():
        raise Invalid("请说明理由", fields={"reason": ["请说明理由"]})
    _end(row, VersionState.RETIRED, now)
    audit.record(actor, "theme.version_retired", "theme_version", row.id, {"reason": reason})


def _end(row: ThemeVersion, state: VersionState, now: datetime) -> None:
    row.state, row.live, row.ended_at = state, None, now
    row.version += 1


def _demand(row: ThemeVersion, state: VersionState) -> None:
    if row.state is not state:
        raise VersionMoveNotAllowed(f"主题版本处于“{VERSION_LABELS[row.state]}”，不能这样操作")


def _locked(version_id: int, version: int) -> ThemeVersion:
    row = db.writing().get(ThemeVersion, version_id, with_for_update=True)
    if row is None:
        raise NotFound("没有这个主题版本")
    if row.version != version:
        raise Stale
    return row


def check(version_id: int) -> list[Finding]:
    """Return what is odd about a version, what must be mended first.

    Raises:
        NotFound: no such version.
    """
    return checked(version_of(version_id).definition, Catalogue())


def checked(definition: Definition, known: Catalogue) -> list[Finding]:
    """Return what is odd about a theme over all places that carry its items out."""
    found = [
        Finding("no_such_item", f"事项目录里没有 {one.code}")
        for one in definition.items
        if known.directory(one) is None
    ]
    found += [
        Finding("nowhere", f"还没有单位办理 {one.code}")
        for one in definition.items
        if known.directory(one) is not None and not known.places(one)
    ]
    codes = sorted({place.region_code for one in definition.items for place in known.places(one)})
    kinds = {
        tuple(placed.versions().values()): placed
        for code in codes
        if (placed := known.placed(definition, code))
    }
    if not found and not any(placed.whole for placed in kinds.values()):
        found.append(Finding("never_whole", "没有一个地区能办齐全部事项"))
    seen: Counter[Finding] = Counter()
    for placed in kinds.values():
        seen.update(set(_of_place(definition, placed)))
    for one, times in seen.items():
        everywhere = one.code in _PROMOTED and times == len(kinds)
        found.append(Finding(one.code, one.text, one.error or everywhere))
    found += _of_catalogue(definition, known)
    return sorted(found, key=lambda one: not one.error)


def _of_place(definition: Definition, placed: Placed) -> list[Finding]:
    sources = placed.sources()
    if not sources:
        return []
    merged = merging.merge(definition, sources)
    found = [*merged.findings, *invariants.broken(definition, sources, merged)]
    for one, view in placed.there:
        by_hand = {variant.code for variant in view.content.variants if variant.when is None}
        if (by_hand or one.item.variant) and one.item.variant not in by_hand:
            found.append(Finding("variant", f"{view.content.name}要说明按哪种情形办理"))
    return found


def _of_catalogue(definition: Definition, known: Catalogue) -> list[Finding]:
    """Return which prerequisites the catalogue knows between these items and the theme does not."""
    by_id = {known.directory(one): one.code for one in definition.items}
    said = {(one.item, one.other) for one in definition.of(RelationKind.PREREQUISITE)}
    return [
        Finding(
            "prerequisite",
            f"事项目录说 {by_id[one.other_directory_id]} 是 {code} 的前置，主题里没有",
            error=False,
        )
        for directory_id, code in by_id.items()
        if directory_id is not None
        for one in catalogue.relations_of(directory_id)
        if one.kind.value == RelationKind.PREREQUISITE.value
        and one.other_directory_id in by_id
        and (by_id[one.other_directory_id], code) not in said
    ]


def _built_on(definition: Definition, known: Catalogue) -> dict[str, str]:
    return {
        str(place.id): str(known.item(place).version_id)
        for one in definition.items
        for place in known.places(one)
    }


def changes_since(view: VersionView) -> list[str]:
    """Return what the items of a published theme have changed since it was checked; none: it is not stale.

    What residents are asked follows the items at once; this tells staff to look at the theme again.
    """
    if view.state is not VersionState.PUBLISHED:
        return []
    now = _built_on(view.definition, Catalogue())
    ids = {
        int(one)
        for built in (view.built_on, now)
        for key, one in built.items()
        if view.built_on.get(key) != now.get(key)
    }
    items = catalogue.versions(ids)
    found = []
    for key in sorted({*view.built_on, *now}):
        before, after = (
            items.get(int(built[key])) if key in built else None for built in (view.built_on, now)
        )
        if view.built_on.get(key) != now.get(key):
            found += _difference(before, after)
    return found


def _difference(before: ItemView | None, after: ItemView | None) -> list[str]:
    shown = after or before
    if shown is None:
        return []
    place = f"{shown.content.name}（{shown.body_name}）"
    if after is None:
        return [f"{place}不再办理"]
    if before is None:
        return [f"{place}开始办理"]
    words = [
        f"{what}{did}{'、'.join(names)}"
        for what, old, new in (
            ("字段", _fields(before), _fields(after)),
            ("材料", _materials(before), _materials(after)),
        )
        for did, names in (
            ("增加", [name for key, (name, _) in new.items() if key not in old]),
            ("减少", [name for key, (name, _) in old.items() if key not in new]),
            ("改动", [name for key, (name, told) in new.items() if key in old and old[key][1] != told]),
        )
        if names
    ]
    said = "；".join(words) or "表单和材料没有变"
    return [f"{place}从第 {before.version_number} 版改到第 {after.version_number} 版：{said}"]


def _fields(view: ItemView) -> dict[str, tuple[str, Any]]:
    form = view.form or {"schema": {"properties": {}, "required": []}, "fields": {}}
    return {
        name: (
            form["fields"][name]["label"],
            (told, form["fields"][name], name in form["schema"]["required"]),
        )
        for name, told in form["schema"]["properties"].items()
    }


def _materials(view: ItemView) -> dict[str, tuple[str, Any]]:
    return {one.code: (one.name, one) for one in view.content.materials}


def version_of(version_id: int) -> VersionView:
    """Return one version.

    Raises:
        NotFound: there is none.
    """
    row = db.session().get(ThemeVersion, version_id)
    if row is None:
        raise NotFound("没有这个主题版本")
    return view_of(row)


def view_of(row: ThemeVersion) -> VersionView:
    """Return a version's row as others see it."""
    return VersionView(
        id=row.id,
        theme_id=row.theme_id,
        number=row.number,
        state=row.state,
        version=row.version,
        definition=definitions.read(row.definition),
        written=row.definition,
        built_on=row.built_on,
        created_at=row.created_at,
        created_by=row.created_by,
        published_at=row.published_at,
    )


def newest_versions() -> list[VersionView]:
    """Return of every theme the version in force and the newest one, by theme and number."""
    last = select(ThemeVersion.theme_id, func.max(ThemeVersion.number)).group_by(ThemeVersion.theme_id)
    query = (
        select(ThemeVersion)
        .join(Theme, Theme.id == ThemeVersion.theme_id)
        .where((ThemeVersion.live == 1) | tuple_(ThemeVersion.theme_id, ThemeVersion.number).in_(last))
        .order_by(Theme.code, ThemeVersion.number)
    )
    return [view_of(row) for row in db.session().scalars(query)]
