from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.catalogue.domain import (
    CODE_MAX,
    NAME_MAX,
    REASON_MAX,
    SCENE_KEY_MAX,
    SCHEME_MAX,
    VARIANT_MAX,
    Domain,
    ItemType,
    RelationKind,
    VersionState,
)
from app.core.db import Model, Paper, Tiny, key_column

TERM_MAX = 24
RULE_MAX = 40
FILE_NAME_MAX = 120


class ItemDirectory(Model):
    """基本目录: one row per item, whoever carries it out. ``sample``: made up for trying the hall."""

    __tablename__ = "item_directory"
    __table_args__ = (
        UniqueConstraint("code_scheme", "code", name="uq_item_directory_code"),
        Index("ix_item_directory_name", "name", "code"),
    )

    id: Mapped[int] = key_column()
    code: Mapped[str] = mapped_column(String(CODE_MAX))
    code_scheme: Mapped[str] = mapped_column(String(SCHEME_MAX))
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    item_type: Mapped[ItemType]
    domain: Mapped[Domain]
    legal_basis: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    sample: Mapped[bool]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class ItemImplementation(Model):
    """实施清单: an item as one body carries it out for one region. Its id is what residents' links keep."""

    __tablename__ = "item_implementation"
    __table_args__ = (
        UniqueConstraint("directory_id", "body_id", "region_code", name="uq_item_implementation_place"),
        UniqueConstraint("code_scheme", "code", name="uq_item_implementation_code"),
        Index("ix_item_implementation_region", "region_code", "directory_id"),
    )

    id: Mapped[int] = key_column()
    directory_id: Mapped[int] = mapped_column(ForeignKey("item_directory.id"))
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"), index=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    code: Mapped[str] = mapped_column(String(CODE_MAX))
    code_scheme: Mapped[str] = mapped_column(String(SCHEME_MAX))
    page_id: Mapped[int | None] = mapped_column(ForeignKey("mobile_page.id"), index=True)
    created_at: Mapped[datetime]


class ItemVersion(Model):
    """One version of an implementation; never changed once it left the draft.

    ``live`` is 1 while residents are shown it and NULL else: the unique key over it keeps two versions
    from being live at once, on every database. ``number`` tells versions apart, ``version`` counts the
    changes of one while it is written. ``reason`` is what was last said of it: why it came back, or stopped.
    """

    __tablename__ = "item_version"
    __table_args__ = (
        UniqueConstraint("implementation_id", "number", name="uq_item_version_number"),
        UniqueConstraint("implementation_id", "live", name="uq_item_version_live"),
        Index("ix_item_version_due", "state", "effective_on"),
    )

    id: Mapped[int] = key_column()
    implementation_id: Mapped[int] = mapped_column(ForeignKey("item_implementation.id"))
    number: Mapped[int]
    state: Mapped[VersionState]
    live: Mapped[int | None]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    form: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    effective_on: Mapped[date]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))
    published_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[str] = mapped_column(String(80), default="", server_default="")
    reason: Mapped[str] = mapped_column(String(REASON_MAX), default="", server_default="")


class ItemTerm(Model):
    """What an item is found under: parts of its words, pinyin and initials, with a weight."""

    __tablename__ = "item_term"
    __table_args__ = (Index("ix_item_term_weight", "term", "weight", "directory_id"),)

    term: Mapped[str] = mapped_column(String(TERM_MAX), primary_key=True)
    directory_id: Mapped[int] = mapped_column(ForeignKey("item_directory.id"), primary_key=True, index=True)
    weight: Mapped[int]


class ItemRelation(Model):
    """事项关联, read from ``directory_id``: first ``other_id`` (prerequisite), together with it, not with it,
    or its result serves there. ``variant``: 情形 of ``directory_id`` in which it holds; empty: all of them.
    """

    __tablename__ = "item_relation"
    __table_args__ = (
        UniqueConstraint("directory_id", "other_id", "kind", "variant", name="uq_item_relation_edge"),
    )

    id: Mapped[int] = key_column()
    directory_id: Mapped[int] = mapped_column(ForeignKey("item_directory.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("item_directory.id"), index=True)
    kind: Mapped[RelationKind]
    variant: Mapped[str] = mapped_column(String(VARIANT_MAX))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))


class RelationGraph(Model):
    """One row, touched with each change of a relation: who changes the graph holds it until the commit."""

    __tablename__ = "item_relation_graph"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]


class Scene(Model):
    """场景导航: questions that lead to the item, and its variant, that somebody needs."""

    __tablename__ = "scene"

    id: Mapped[int] = key_column()
    key: Mapped[str] = mapped_column(String(SCENE_KEY_MAX), unique=True)
    position: Mapped[int]
    sample: Mapped[bool]
    created_at: Mapped[datetime]


class SceneVersion(Model):
    """What a scene asks, as it was saved; never changed. ``live`` is 1 for what residents see, else NULL."""

    __tablename__ = "scene_version"
    __table_args__ = (
        UniqueConstraint("scene_id", "number", name="uq_scene_version_number"),
        UniqueConstraint("scene_id", "live", name="uq_scene_version_live"),
    )

    id: Mapped[int] = key_column()
    scene_id: Mapped[int] = mapped_column(ForeignKey("scene.id"))
    number: Mapped[int]
    live: Mapped[int | None]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))


class ItemStanding(Model):
    """How an implementation stands, for lists and scores; made from its versions, never written by hand.

    ``name`` and ``score`` are those of the version residents see, or of the newest where they see none.
    ``waiting_since`` is when the newest was handed in, while it waits for its review.
    """

    __tablename__ = "item_standing"
    __table_args__ = (
        Index("ix_item_standing_name", "name", "implementation_id"),
        Index("ix_item_standing_body", "body_id", "name", "implementation_id"),
        Index("ix_item_standing_state", "newest_state", "name", "implementation_id"),
        Index("ix_item_standing_score", "body_id", "score", "implementation_id"),
        Index("ix_item_standing_waiting", "waiting_since", "implementation_id"),
        Index("ix_item_standing_edition", "edition", "implementation_id"),
    )

    implementation_id: Mapped[int] = mapped_column(
        ForeignKey("item_implementation.id"), primary_key=True, autoincrement=False
    )
    directory_id: Mapped[int] = mapped_column(ForeignKey("item_directory.id"), index=True)
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"))
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    newest_id: Mapped[int | None] = mapped_column(ForeignKey("item_version.id"), index=True)
    newest_number: Mapped[int]
    newest_state: Mapped[VersionState | None]
    live_id: Mapped[int | None] = mapped_column(ForeignKey("item_version.id"), index=True)
    live_state: Mapped[VersionState | None]
    score: Mapped[int | None] = mapped_column(Tiny)
    waiting_since: Mapped[datetime | None]
    edition: Mapped[int]


class ItemFault(Model):
    """A standard check that the version of a standing does not pass."""

    __tablename__ = "item_fault"
    __table_args__ = (
        Index("ix_item_fault_body", "body_id", "rule", "implementation_id"),
        Index("ix_item_fault_rule", "rule", "body_id", "implementation_id"),
    )

    implementation_id: Mapped[int] = mapped_column(
        ForeignKey("item_implementation.id"), primary_key=True, autoincrement=False
    )
    rule: Mapped[str] = mapped_column(String(RULE_MAX), primary_key=True)
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"))


class ItemImport(Model):
    """A file that somebody wants to bring in: kept from the trial to the commit, then its content goes."""

    __tablename__ = "item_import"
    __table_args__ = (Index("ix_item_import_created", "created_at"),)

    id: Mapped[int] = key_column()
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    file_name: Mapped[str] = mapped_column(String(FILE_NAME_MAX))
    content: Mapped[bytes | None] = mapped_column(Paper)
    outcome: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    committed_at: Mapped[datetime | None]
