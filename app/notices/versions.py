"""Templates and their versions: draft → published → retired; what was published never changes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from app.channel_accounts import service as channel_accounts
from app.core import audit, db
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.notices import wording as words
from app.notices.domain import (
    BODY_MAX,
    FIELD_TEXT_MAX,
    FIELDS_MAX,
    FORMS_MAX,
    KEY_MAX,
    LANGUAGE,
    NAME_MAX,
    PLATFORM_TEMPLATE_MAX,
    TITLE_MAX,
    VALID_HOURS_MAX,
    NewTemplate,
    NotDraft,
    PlatformForm,
    Right,
    Topic,
    Variable,
    VariableType,
    VersionState,
    Wording,
)
from app.notices.models import Template, TemplateVersion
from channels.base import ChannelError, Notification, NotificationKind

_KEY = re.compile(rf"[a-z][a-z0-9_.-]{{1,{KEY_MAX - 1}}}")
SAMPLE_RECIPIENT = "sample"
SAMPLE_PAGE = "https://hall.example.cn/me/messages/4611686018427387904"


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A template; ``published`` and ``draft`` are numbers of versions, None when there is none."""

    id: int
    key: str
    name: str
    topic: Topic
    urgent: bool
    binding: bool
    valid_hours: int
    published: int | None
    draft: int | None


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version of a template. ``row_version`` is for the next change of a draft."""

    id: int
    template_id: int
    language: str
    number: int
    state: VersionState
    wording: Wording
    row_version: int
    created_at: datetime
    created_by: str
    published_at: datetime | None
    published_by: str
    retired_at: datetime | None
    used_at: datetime | None


def templates() -> list[TemplateView]:
    """Return all templates by key."""
    rows = list(db.session().scalars(select(Template).order_by(Template.key)))
    query = select(TemplateVersion.template_id, TemplateVersion.state, TemplateVersion.number).where(
        TemplateVersion.state != VersionState.RETIRED, TemplateVersion.language == LANGUAGE
    )
    numbers = {(one, state): number for one, state, number in db.session().execute(query)}
    return [_view(row, numbers) for row in rows]


def template(template_id: int) -> TemplateView:
    """Return one template.

    Raises:
        NotFound: no such template.
    """
    found = next((one for one in templates() if one.id == template_id), None)
    if found is None:
        raise NotFound("没有这个通知模板")
    return found


def create_template(new: NewTemplate, wording: Wording, *, by: str, now: datetime) -> VersionView:
    """Add a template with its first version, a draft.

    Raises:
        Conflict: the key is taken.
        Invalid: something in it is wrong; ``fields`` says what.
    """
    _check_template(new)
    if db.session().scalar(select(Template.id).where(Template.key == new.key)):
        raise Conflict("这个模板标识已被使用")
    row = Template(
        key=new.key,
        name=new.name,
        topic=new.topic,
        urgent=new.urgent,
        binding=new.binding,
        valid_hours=new.valid_hours,
        created_at=now,
        created_by=by,
    )
    db.writing().add(row)
    db.writing().flush()
    audit.record(by, "notice_template.create", "notice_template", row.id, {"key": new.key})
    return _add_version(row.id, wording, by, now)


def new_version(template_id: int, *, by: str, now: datetime) -> VersionView:
    """Make a draft that begins with the words of the newest version.

    Raises:
        NotFound: no such template.
        Conflict: there is a draft already.
    """
    newest = versions(template_id)[:1]
    if not newest:
        raise NotFound("没有这个通知模板")
    if newest[0].state is VersionState.DRAFT:
        raise Conflict("已有一个草稿")
    return _add_version(template_id, newest[0].wording, by, now)


def change_draft(version_id: int, wording: Wording, *, row_version: int, by: str) -> VersionView:
    """Replace the words of a draft.

    Raises:
        NotFound: no such version.
        NotDraft: it was published.
        Invalid: something in it is wrong; ``fields`` says what.
        Stale: somebody else changed it first.
    """
    known = version(version_id)
    if known.state is not VersionState.DRAFT:
        raise NotDraft
    _check_wording(wording)
    changed = db.writing().execute(
        update(TemplateVersion)
        .where(
            TemplateVersion.id == version_id,
            TemplateVersion.row_version == row_version,
            TemplateVersion.state == VersionState.DRAFT,
        )
        .values(row_version=row_version + 1, **_columns(wording))
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Stale
    audit.record(
        by, "notice_template.change_draft", "notice_template", known.template_id, {"number": known.number}
    )
    return version(version_id)


def publish(version_id: int, *, by: str, now: datetime) -> VersionView:
    """Let messages be made from a draft from now on; the version before is retired.

    Raises:
        NotFound: no such version.
        NotDraft: it is no draft.
        Invalid: its words no longer fit the accounts they are for.
    """
    known = version(version_id)
    if known.state is not VersionState.DRAFT:
        raise NotDraft
    _check_wording(known.wording)
    _retire_published(known.template_id, known.language, now)
    _move(version_id, VersionState.DRAFT, state=VersionState.PUBLISHED, published_at=now, published_by=by)
    audit.record(
        by, "notice_template.publish", "notice_template", known.template_id, {"number": known.number}
    )
    return version(version_id)


def retire(version_id: int, *, by: str, now: datetime) -> VersionView:
    """Let no more messages be made from a published version.

    Raises:
        NotFound: no such version.
        Conflict: it is not published.
    """
    known = version(version_id)
    if known.state is not VersionState.PUBLISHED:
        raise Conflict("只有已发布的版本可以停用")
    _move(version_id, VersionState.PUBLISHED, state=VersionState.RETIRED, retired_at=now)
    _record(by, "retire", known)
    return version(version_id)


def versions(template_id: int) -> list[VersionView]:
    """Return all versions of a template, the newest first."""
    query = (
        select(TemplateVersion)
        .where(TemplateVersion.template_id == template_id)
        .order_by(TemplateVersion.number.desc())
        .execution_options(populate_existing=True)
    )
    return [version_view(row) for row in db.session().scalars(query)]


def version(version_id: int) -> VersionView:
    """Return one version.

    Raises:
        NotFound: no such version.
    """
    row = db.session().get(TemplateVersion, version_id, populate_existing=True)
    if row is None:
        raise NotFound("没有这个模板版本")
    return version_view(row)


def difference(old: VersionView, new: VersionView) -> list[str]:
    """Return what changed from ``old`` to ``new``, line by line: ``+ `` added, ``- `` gone, ``  `` kept."""
    lines = difflib.ndiff(_lines(old.wording), _lines(new.wording))
    return [line for line in lines if not line.startswith("? ")]


def forms_problems(wording: Wording) -> dict[str, str]:
    """Return which forms an account's platform would refuse with the samples, by field."""
    found: dict[str, str] = {}
    for number, form in enumerate(wording.forms):
        problem = form_problem(form, words.samples(wording))
        if problem:
            found[f"forms.{number}"] = problem
    return found


def form_problem(form: PlatformForm, values: Mapping[str, str]) -> str:
    """Return why the account could not send a form filled with ``values``; ``""`` when it could."""
    try:
        channel_accounts.adapter(form.account_id).render_notification(
            SAMPLE_RECIPIENT, notification_of(form, values, page=SAMPLE_PAGE)
        )
    except NotFound:
        return "没有这个渠道账号"
    except ChannelError as error:
        return "这个账号没有这种消息" if error.code == "unsupported" else "平台不接受某一项的内容"
    except ValueError:
        return "没有填写平台模板编号或字段"
    return ""


def notification_of(
    form: PlatformForm, values: Mapping[str, str], *, page: str = "", dedup_id: str = ""
) -> Notification:
    """Return a platform's form filled with ``values``.

    Raises:
        ValueError: the form has no id or no fields.
    """
    kind = NotificationKind.SUBSCRIBE if form.right is Right.SUBSCRIBE else NotificationKind.TEMPLATE
    data = {name: words.filled(text, values) for name, text in form.fields.items()}
    return Notification(form.platform_template, data, page, kind, dedup_id=dedup_id)


def version_view(row: TemplateVersion) -> VersionView:
    return VersionView(
        id=row.id,
        template_id=row.template_id,
        language=row.language,
        number=row.number,
        state=row.state,
        wording=_wording(row),
        row_version=row.row_version,
        created_at=row.created_at,
        created_by=row.created_by,
        published_at=row.published_at,
        published_by=row.published_by,
        retired_at=row.retired_at,
        used_at=row.used_at,
    )


def _view(row: Template, numbers: Mapping[tuple[int, VersionState], int]) -> TemplateView:
    return TemplateView(
        id=row.id,
        key=row.key,
        name=row.name,
        topic=row.topic,
        urgent=row.urgent,
        binding=row.binding,
        valid_hours=row.valid_hours,
        published=numbers.get((row.id, VersionState.PUBLISHED)),
        draft=numbers.get((row.id, VersionState.DRAFT)),
    )


def _add_version(template_id: int, wording: Wording, by: str, now: datetime) -> VersionView:
    _check_wording(wording)
    query = select(func.max(TemplateVersion.number)).where(TemplateVersion.template_id == template_id)
    row = TemplateVersion(
        template_id=template_id,
        language=LANGUAGE,
        number=(db.writing().scalar(query) or 0) + 1,
        state=VersionState.DRAFT,
        row_version=1,
        created_at=now,
        created_by=by,
        published_by="",
        **_columns(wording),
    )
    db.writing().add(row)
    db.writing().flush()
    return version_view(row)


def _columns(wording: Wording) -> dict[str, Any]:
    return {
        "title": wording.title,
        "body": wording.body,
        "variables": [asdict(one) for one in wording.variables],
        "order": list(wording.order),
        "forms": [{**asdict(one), "account_id": str(one.account_id)} for one in wording.forms],
    }


def _wording(row: TemplateVersion) -> Wording:
    variables = tuple(Variable(**{**one, "type": VariableType(one["type"])}) for one in row.variables)
    forms = tuple(
        PlatformForm(**{**one, "account_id": int(one["account_id"]), "right": Right(one["right"])})
        for one in row.forms
    )
    return Wording(row.title, row.body, variables, tuple(row.order), forms)


def _check_template(new: NewTemplate) -> None:
    problems: dict[str, str] = {}
    if not _KEY.fullmatch(new.key):
        problems["key"] = "用小写字母、数字和 . _ -，以字母开头"
    if not (1 <= len(new.name) <= NAME_MAX and new.name.isprintable()):
        problems["name"] = f"1 至 {NAME_MAX} 个字"
    if not 1 <= new.valid_hours <= VALID_HOURS_MAX:
        problems["valid_hours"] = f"1 至 {VALID_HOURS_MAX}"
    if problems:
        raise Invalid("通知模板有误", fields=problems)


def _check_wording(wording: Wording) -> None:
    problems = _bounds(wording) or words.problems_of(wording) or forms_problems(wording)
    if problems:
        raise Invalid("通知模板有误", fields=problems)


def _bounds(wording: Wording) -> dict[str, str]:
    problems: dict[str, str] = {}
    if not (1 <= len(wording.title) <= TITLE_MAX and wording.title.isprintable()):
        problems["title"] = f"1 至 {TITLE_MAX} 个字，一行"
    if not 1 <= len(wording.body) <= BODY_MAX:
        problems["body"] = f"1 至 {BODY_MAX} 个字"
    if len(wording.forms) > FORMS_MAX:
        problems["forms"] = f"不超过 {FORMS_MAX} 个"
    seen: set[tuple[int, Right]] = set()
    for number, form in enumerate(wording.forms):
        if (form.account_id, form.right) in seen or form.right is Right.SERVICE:
            problems[f"forms.{number}"] = "一个账号的每种消息只能对应一个平台模板"
        seen.add((form.account_id, form.right))
        if not 1 <= len(form.platform_template) <= PLATFORM_TEMPLATE_MAX:
            problems[f"forms.{number}"] = f"平台模板编号须是 1 至 {PLATFORM_TEMPLATE_MAX} 个字"
        if not 1 <= len(form.fields) <= FIELDS_MAX:
            problems[f"forms.{number}"] = f"字段须是 1 至 {FIELDS_MAX} 个"
        if any(not 1 <= len(text) <= FIELD_TEXT_MAX for text in form.fields.values()):
            problems[f"forms.{number}"] = f"每个字段的内容须是 1 至 {FIELD_TEXT_MAX} 个字"
    return problems


def _retire_published(template_id: int, language: str, now: datetime) -> None:
    db.writing().execute(
        update(TemplateVersion)
        .where(
            TemplateVersion.template_id == template_id,
            TemplateVersion.language == language,
            TemplateVersion.state == VersionState.PUBLISHED,
        )
        .values(state=VersionState.RETIRED, retired_at=now)
        .execution_options(synchronize_session=False)
    )


def _move(version_id: int, came_from: VersionState, **values: object) -> None:
    moved = db.writing().execute(
        update(TemplateVersion)
        .where(TemplateVersion.id == version_id, TemplateVersion.state == came_from)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise Stale


def _record(by: str, what: str, known: VersionView) -> None:
    detail = {"number": known.number}
    audit.record(by, f"notice_template.{what}", "notice_template", known.template_id, detail)


def _lines(wording: Wording) -> list[str]:
    lines = [f"标题：{wording.title}", *(f"正文：{line}" for line in wording.body.splitlines())]
    lines += [f"变量：{one.name}（{one.type}，{one.chars_max}）" for one in wording.variables]
    lines += [f"顺序：{one}" for one in wording.order]
    for form in wording.forms:
        lines += [
            f"{form.right} {form.platform_template} {name}：{text}" for name, text in form.fields.items()
        ]
    return lines
