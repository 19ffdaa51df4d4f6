"""Brings files of the catalogue in: first a trial that names every error, then all of it or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, select

from app.catalogue import editing, versions, vetting
from app.catalogue.content import Content, from_json, to_json
from app.catalogue.domain import (
    CODE_MAX,
    DOMAIN_LABELS,
    ITEM_TYPE_LABELS,
    NAME_MAX,
    SCHEME_MAX,
    VERSION_LABELS,
    Domain,
    ItemType,
)
from app.catalogue.editing import NewDirectory
from app.catalogue.exchange_files import FileRow, What, label_of, legal_basis_of, read_file
from app.catalogue.fields import BY_NAME, Kind
from app.catalogue.forms import form_problems
from app.catalogue.models import (
    FILE_NAME_MAX,
    ItemDirectory,
    ItemImplementation,
    ItemImport,
    ItemStanding,
    ItemVersion,
)
from app.core import audit, db
from app.core.access import Permission
from app.core.clock import day_of
from app.core.errors import Conflict, DomainError, Forbidden, NotFound
from app.core.sheets import ImportRefused, RowError
from app.organisations import service as organisations
from app.organisations.service import BodyView, Principal

KEPT = timedelta(days=30)
_Key = tuple[str, str]
_ADVICE: Mapping[Kind, str] = {
    Kind.NUMBER: "写阿拉伯数字，例如 5",
    Kind.YES: "写“是”或“否”",
    Kind.LINES: "一行一条",
    Kind.ROWS: "一行一项，各栏按表头的顺序，用 | 隔开",
}


class Act(StrEnum):
    """What a row does."""

    NEW = "new"
    VERSION = "version"
    EDIT = "edit"
    SAME = "same"


ACT_LABELS: Mapping[Act, str] = {
    Act.NEW: "新增",
    Act.VERSION: "起草新版本",
    Act.EDIT: "修改",
    Act.SAME: "没有变化",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """What a row will do once the file is brought in."""

    number: int
    act: Act
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ImportView:
    """A file between its trial and its commit; ``committed_at`` is None until then."""

    id: int
    file_name: str
    what: What
    planned: list[Planned]
    created_at: datetime
    committed_at: datetime | None

    @property
    def counts(self) -> Counter[Act]:
        return Counter(one.act for one in self.planned)


@dataclass(slots=True)
class _Work:
    """One row with everything that is needed to do it; ``seen`` is what it would change, as it stands."""

    row: FileRow
    act: Act
    name: str
    seen: str = ""
    directory: NewDirectory | None = None
    directory_id: int = 0
    directory_version: int = 0
    body_id: int = 0
    region_code: str = ""
    implementation_id: int = 0
    version_id: int = 0
    content: Content | None = None
    form: Mapping[str, Any] | None = None
    effective_on: date | None = None


@dataclass(slots=True)
class _Known:
    """What the rows of a file name, read in a few statements."""

    directories: dict[_Key, ItemDirectory]
    implementations: dict[_Key, ItemImplementation]
    newest: dict[int, ItemVersion]
    bodies: dict[int, BodyView]
    mine: set[int]
    names: dict[str, BodyView | None] = field(default_factory=dict)
    within: dict[str, set[str]] = field(default_factory=dict)


def try_file(by: Principal, what: What, name: str, content: bytes, *, now: datetime) -> ImportView:
    """Say what a file would do, and keep it for the commit; runs inside a transaction.

    Raises:
        Forbidden: the directory is the reviewers'.
        ImportRefused: with every error found, by row and column.
    """
    rows = _told(_worked_out(by, what, read_file(what, name, content), now))
    row = ItemImport(
        staff_id=by.staff_id,
        file_name=name[-FILE_NAME_MAX:],
        content=content,
        outcome={"what": what.value, "rows": rows},
        created_at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(by.actor, "catalogue.import_tried", "item_import", row.id, {"rows": len(rows)})
    return _view(row)


def get_import(by: Principal, import_id: int) -> ImportView:
    """Return a file of the caller.

    Raises:
        NotFound: the caller has none such.
    """
    return _view(_mine(by, import_id, locked=False))


def commit(by: Principal, import_id: int, *, now: datetime) -> ImportView:
    """Bring a file in that was tried: all of it, or nothing; runs inside a transaction.

    Raises:
        NotFound: the caller has none such.
        Conflict: it was brought in already.
        ImportRefused: something it names changed since the trial.
    """
    row = _mine(by, import_id, locked=True)
    if row.committed_at is not None or row.content is None:
        raise Conflict("这个文件已经导入过了")
    what = What(row.outcome["what"])
    works = _worked_out(by, what, read_file(what, row.file_name, row.content), now)
    tried = {number: (act, seen) for number, act, _, _, seen in row.outcome["rows"]}
    errors = []
    for work in works:
        if tried[work.row.number] != (work.act, work.seen) or _is_overtaken(work):
            errors.append(_changed_since(what, work))
            continue
        try:
            _do(by, what, work, now)
        except DomainError as error:
            errors.append(RowError(work.row.number, "", str(error)))
    if errors:
        raise ImportRefused(errors)
    row.committed_at, row.content = now, None
    counts = Counter(one.act.value for one in works)
    audit.record(by.actor, "catalogue.import_committed", "item_import", row.id, dict(counts))
    return _view(row)


def _is_overtaken(work: _Work) -> bool:
    """Tell whether somebody else began a version in this moment; from here on nobody can."""
    if work.act is not Act.VERSION:
        return False
    db.writing().get_one(ItemImplementation, work.implementation_id, with_for_update=True)
    newest = editing.newest_version(work.implementation_id)
    return work.seen.partition(":")[0] != (str(newest.id) if newest else "")


def _changed_since(what: What, work: _Work) -> RowError:
    text = "试导入以后有人改过"
    return RowError(work.row.number, label_of(what, "code"), text, "重新上传文件，看过结果再确认")


def forget_imports(*, now: datetime) -> None:
    """Delete what was tried or brought in long ago."""
    db.writing().execute(delete(ItemImport).where(ItemImport.created_at < now - KEPT))


def _mine(by: Principal, import_id: int, *, locked: bool) -> ItemImport:
    session = db.writing() if locked else db.session()
    row = session.get(ItemImport, import_id, with_for_update=locked)
    if row is None or row.staff_id != by.staff_id:
        raise NotFound("没有这次导入")
    return row


def _view(row: ItemImport) -> ImportView:
    planned = [Planned(number, Act(act), code, name) for number, act, code, name, _ in row.outcome["rows"]]
    return ImportView(
        row.id, row.file_name, What(row.outcome["what"]), planned, row.created_at, row.committed_at
    )


def _told(works: Sequence[_Work]) -> list[list[Any]]:
    return [[one.row.number, one.act.value, one.row.told["code"], one.name, one.seen] for one in works]


def _worked_out(by: Principal, what: What, rows: Sequence[FileRow], now: datetime) -> list[_Work]:
    if what is What.DIRECTORY and not by.may(Permission.ITEMS_REVIEW):
        raise Forbidden("基本目录由省级审核人员维护")
    known, errors, works = _known(by, what, rows), [], []
    seen: dict[_Key, int] = {}
    for row in rows:
        faults: list[tuple[str, str, str]] = []
        key = (row.told.get("code_scheme", ""), row.told.get("code", ""))
        if key in seen:
            faults.append(("code", f"第 {seen[key]} 行已有同一编码", "一个编码只写一行"))
        seen.setdefault(key, row.number)
        if what is What.DIRECTORY:
            work = _directory_work(row, known, faults)
        else:
            work = _item_work(row, known, day_of(now), faults)
        errors += [RowError(row.number, label_of(what, name), text, advice) for name, text, advice in faults]
        if work is not None:
            works.append(work)
    if errors:
        raise ImportRefused(errors)
    return works


def _known(by: Principal, what: What, rows: Sequence[FileRow]) -> _Known:
    codes = {row.told.get("code", "") for row in rows}
    directory_codes = (
        codes if what is What.DIRECTORY else {row.told.get("directory_code", "") for row in rows}
    )
    session = db.session()
    directories = session.scalars(select(ItemDirectory).where(ItemDirectory.code.in_(directory_codes)))
    implementations, newest = [], {}
    if what is What.ITEMS:
        query = select(ItemImplementation).where(ItemImplementation.code.in_(codes))
        implementations = list(session.scalars(query))
        latest = (
            select(ItemVersion)
            .join(ItemStanding, ItemStanding.newest_id == ItemVersion.id)
            .where(ItemStanding.implementation_id.in_([one.id for one in implementations]))
            .with_for_update(of=ItemVersion)
        )
        newest = {one.implementation_id: one for one in session.scalars(latest)}
    return _Known(
        directories={(one.code_scheme, one.code): one for one in directories},
        implementations={(one.code_scheme, one.code): one for one in implementations},
        newest=newest,
        bodies={one.id: one for one in organisations.bodies()},
        mine={one.id for one in organisations.bodies_of(by, Permission.ITEMS_EDIT)},
    )


_Faults = list[tuple[str, str, str]]


def _checked_texts(row: FileRow, longest: Mapping[str, int], faults: _Faults) -> None:
    for name, most in longest.items():
        if not 0 < len(row.told.get(name, "")) <= most:
            faults.append((name, f"应有 1 至 {most} 个字", "补上，或缩短"))


def _directory_work(row: FileRow, known: _Known, faults: _Faults) -> _Work | None:
    _checked_texts(row, {"code": CODE_MAX, "code_scheme": SCHEME_MAX, "name": NAME_MAX}, faults)
    told = row.told
    types = {label: code for code, label in ITEM_TYPE_LABELS.items()}
    domains = {label: code for code, label in DOMAIN_LABELS.items()}
    item_type = types.get(told.get("item_type", ""), told.get("item_type", ""))
    domain = domains.get(told.get("domain", ""), told.get("domain", ""))
    if item_type not in set(ItemType):
        faults.append(("item_type", f"没有“{item_type[:20]}”这个事项类型", f"写成：{'、'.join(types)}"))
    if domain not in set(Domain):
        faults.append(("domain", f"没有“{domain[:20]}”这个办事领域", f"写成：{'、'.join(domains)}"))
    sample = told.get("sample", "")
    if sample not in {"是", "否", ""}:
        faults.append(("sample", "应是“是”或“否”", "留空是“否”"))
    if faults:
        return None
    there = known.directories.get((told["code_scheme"], told["code"]))
    basis = legal_basis_of(told["legal_basis"]) if "legal_basis" in told else None
    new = NewDirectory(
        code=told["code"],
        code_scheme=told["code_scheme"],
        name=told["name"],
        item_type=ItemType(item_type),
        domain=Domain(domain),
        legal_basis=basis if basis is not None else (there.legal_basis if there else []),
        sample=there.sample if there and "sample" not in told else sample == "是",
    )
    if there is None:
        return _Work(row, Act.NEW, new.name, directory=new)
    same = (new.name, new.item_type, new.domain, _filled(new.legal_basis)) == (
        there.name,
        there.item_type,
        there.domain,
        _filled(there.legal_basis),
    )
    act = Act.SAME if same else Act.EDIT
    return _Work(
        row,
        act,
        new.name,
        seen=str(there.version),
        directory=new,
        directory_id=there.id,
        directory_version=there.version,
    )


def _filled(bases: Sequence[Mapping[str, str]]) -> list[tuple[str, ...]]:
    return [tuple(one.get(name, "") for name in ("name", "number", "clause")) for one in bases]


def _item_work(row: FileRow, known: _Known, today: date, faults: _Faults) -> _Work | None:
    _checked_texts(row, {"code": CODE_MAX, "code_scheme": SCHEME_MAX}, faults)
    there = known.implementations.get((row.told.get("code_scheme", ""), row.told.get("code", "")))
    work = _place_of(row, known, faults) if there is None else _same_place(row, there, known, faults)
    newest = known.newest.get(there.id) if there else None
    content, form = _content(row, newest, work, known, faults)
    if work is None or content is None or faults:
        return None
    work.content, work.form, work.name = content, form, content.name
    work.seen = f"{newest.id}:{newest.version}" if newest else ""
    work.effective_on = _effective_on(row, newest, faults)
    _choose_act(work, newest, today, faults)
    return work


def _place_of(row: FileRow, known: _Known, faults: _Faults) -> _Work | None:
    """Return what is known of an implementation that is new."""
    key = (row.told.get("directory_scheme", ""), row.told.get("directory_code", ""))
    directory = known.directories.get(key)
    if directory is None:
        faults.append(("directory_code", "基本目录里没有这个编码", "核对编码和编码体系，或先列入基本目录"))
    body = _body(row, known, faults)
    if directory is None or body is None:
        return None
    region = row.told.get("region_code", "") or body.region_code
    if body.region_code not in known.within:
        known.within[body.region_code] = editing.regions_within(body.region_code)
    if region not in known.within[body.region_code]:
        faults.append(("region_code", "没有这个地区，或不在单位的辖区内", "留空就是单位所在的地区"))
    return _Work(row, Act.NEW, directory.name, directory_id=directory.id, body_id=body.id, region_code=region)


def _body(row: FileRow, known: _Known, faults: _Faults) -> BodyView | None:
    name = row.told.get("body", "")
    if name not in known.names:
        try:
            known.names[name] = organisations.find_body(name)
        except NotFound:
            known.names[name] = None
    body = known.names[name]
    if body is None or body.id not in known.mine:
        faults.append(("body", "没有这个单位，或不在您的管理范围", "写单位全称，例如省公安厅"))
        return None
    return body


def _same_place(row: FileRow, there: ItemImplementation, known: _Known, faults: _Faults) -> _Work | None:
    """Return what is known of an implementation that exists; what the row says of it must be the same."""
    if there.body_id not in known.mine:
        faults.append(("code", "没有这个实施编码，或不在您的管理范围", "核对编码"))
        return None
    if row.told.get("body"):
        body = _body(row, known, faults)
        if body is not None and body.id != there.body_id:
            full_name = known.bodies[there.body_id].full_name
            faults.append(("body", f"这个实施编码是{full_name}的", "核对编码，或改回单位"))
    if row.told.get("region_code", "") not in {"", there.region_code}:
        faults.append(("region_code", f"这个实施编码是地区 {there.region_code} 的", "核对编码，或改回地区"))
    key = (row.told.get("directory_scheme", ""), row.told.get("directory_code", ""))
    if row.told.get("directory_code"):
        directory = known.directories.get(key)
        if directory is None or directory.id != there.directory_id:
            faults.append(("directory_code", "和这个实施编码原来的基本编码不同", "改回原来的基本编码"))
    return _Work(row, Act.SAME, "", body_id=there.body_id, implementation_id=there.id)


def _content(
    row: FileRow, newest: ItemVersion | None, work: _Work | None, known: _Known, faults: _Faults
) -> tuple[Content | None, Mapping[str, Any] | None]:
    if newest is not None:
        base, form = from_json(newest.content), newest.form
    else:
        base, form = editing.blank(work.name if work else ""), None
    clean, wrong = vetting.vetted({**to_json(base), **row.content})
    for name, texts in wrong.items():
        faults += [(name, text, _advice(name)) for text in texts]
    if row.has_form:
        form = row.form
        if form is not None:
            said = form_problems(form) if isinstance(form, Mapping) else ["应是 JSON 对象"]
            faults += [("form", text, "") for text in said[:20]]
    return (None if wrong else from_json(clean)), form


def _advice(name: str) -> str:
    """Return how to write a field."""
    told = BY_NAME.get(name)
    if told is None:
        return "删去这一栏"
    if told.labels:
        return f"写成：{'、'.join(told.labels.values())}"
    return _ADVICE.get(told.kind, f"不超过 {told.longest} 个字")


def _effective_on(row: FileRow, newest: ItemVersion | None, faults: _Faults) -> date | None:
    """Return the day a row asks for; None where it says nothing, or what the present version says."""
    text = row.told.get("effective_on", "")[:10]
    if not text:
        return None
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        faults.append(("effective_on", "不是日期", "写成 2026-01-31 的样子"))
        return None
    return None if newest is not None and asked == newest.effective_on else asked


def _choose_act(work: _Work, newest: ItemVersion | None, today: date, faults: _Faults) -> None:
    if newest is None:
        work.act = Act.NEW if not work.implementation_id else Act.VERSION
    elif _same_content(newest, work):
        writable = newest.state in editing.WRITABLE
        work.act = Act.EDIT if writable and work.effective_on is not None else Act.SAME
    elif newest.state in editing.WRITABLE:
        work.act = Act.EDIT
    elif newest.state in editing.FINISHED:
        work.act = Act.VERSION
    else:
        text = f"最新版本在“{VERSION_LABELS[newest.state]}”状态，不能修改"
        faults.append(("code", text, "等审查和生效以后再导入，或请审查人员退回"))
    if work.act is Act.SAME:
        return
    if work.act is Act.EDIT and newest is not None:
        work.version_id = newest.id
    if work.effective_on is not None and work.effective_on < today:
        faults.append(("effective_on", "生效日期已经过去", "改成今天或以后，或留空"))


def _same_content(newest: ItemVersion, work: _Work) -> bool:
    # Cleaned as what is brought in was: a stray blank at an end is no difference.
    clean, wrong = vetting.vetted(to_json(from_json(newest.content)))
    return not wrong and from_json(clean) == work.content and newest.form == work.form


def _do(by: Principal, what: What, work: _Work, now: datetime) -> None:
    if work.act is Act.SAME:
        return
    if what is What.DIRECTORY and work.directory is not None:
        if work.act is Act.NEW:
            editing.create_directory(by, work.directory, now=now)
        else:
            editing.change_directory(by, work.directory_id, work.directory, version=work.directory_version)
        return
    if work.content is None:
        raise AssertionError("a row without content was let through")
    if work.act is Act.NEW:
        work.implementation_id = editing.create_implementation(
            by,
            work.directory_id,
            body_id=work.body_id,
            region_code=work.region_code,
            code=work.row.told["code"],
            code_scheme=work.row.told["code_scheme"],
            now=now,
        )
    if work.act is Act.EDIT:
        row = db.writing().get_one(ItemVersion, work.version_id, with_for_update=True)
        versions.edit_version(
            row.id,
            work.content,
            work.form,
            effective_on=work.effective_on or row.effective_on,
            actor=by.actor,
        )
    else:
        versions.draft_version(
            work.implementation_id,
            work.content,
            work.form,
            effective_on=work.effective_on or day_of(now),
            actor=by.actor,
            now=now,
        )
