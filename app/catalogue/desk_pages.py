"""Console pages of the catalogue: lists, one item, one version, its editor, the review, the scores."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.catalogue import desk_forms, desk_reading, editing, scoring, vetting
from app.catalogue.content import to_json
from app.catalogue.desk_reading import DeskVersion, Filter
from app.catalogue.differences import CHANGE_LABELS
from app.catalogue.domain import (
    CASE_TYPE_LABELS,
    CODE_MAX,
    DOMAIN_LABELS,
    EVENT_LABELS,
    ITEM_TYPE_LABELS,
    NAME_MAX,
    OUR_SCHEME,
    REASON_MAX,
    SCHEME_MAX,
    VERSION_LABELS,
    VersionEvent,
    VersionState,
)
from app.catalogue.fields import GROUP_LABELS, LABELS, in_group
from app.catalogue.form_text import form_of_text, text_of_form
from app.catalogue.quality import BY_CODE
from app.catalogue.quality_rules import SEVERITY_LABELS
from app.catalogue.wording import shown, told
from app.core import access, clock, db, installation
from app.core.access import Permission
from app.core.errors import Conflict, DomainError, Forbidden, Invalid
from app.core.ids import read_id
from app.organisations import service as organisations

AFTER_MAX = 200
QUERY_MAX = 60
_TONES = {
    VersionState.DRAFT: "info",
    VersionState.IN_REVIEW: "warn",
    VersionState.RETURNED: "bad",
    VersionState.FILED: "info",
    VersionState.PUBLISHED: "good",
    VersionState.SUSPENDED: "warn",
}
_NEEDS_REASON = (VersionEvent.RETURN, VersionEvent.SUSPEND, VersionEvent.CANCEL)

desk = Blueprint("item_desk", __name__, url_prefix="/console/items", template_folder="templates")


@desk.context_processor
def _words() -> dict[str, Any]:
    return {
        "state_labels": VERSION_LABELS,
        "event_labels": EVENT_LABELS,
        "tones": _TONES,
        "domain_labels": DOMAIN_LABELS,
        "type_labels": ITEM_TYPE_LABELS,
        "case_labels": CASE_TYPE_LABELS,
        "severity_labels": SEVERITY_LABELS,
        "change_labels": CHANGE_LABELS,
        "group_labels": GROUP_LABELS,
        "field_labels": LABELS,
        "needs_reason": _NEEDS_REASON,
        "reason_max": REASON_MAX,
        "shown": shown,
        "in_group": in_group,
        "as_json": _as_json,
    }


@desk.get("")
@access.staff(Permission.ITEMS_READ)
def listing() -> str:
    by = access.current_staff()
    asked = request.args
    rule = asked.get("rule", "")
    body_id = read_id(asked.get("body_id", ""))
    found = desk_reading.implementations(
        by,
        Filter(
            text=asked.get("q", "").strip()[:QUERY_MAX],
            state=_state(asked.get("state", "")),
            body_id=body_id,
            rule=rule if rule in BY_CODE else "",
        ),
        after=asked.get("after", "")[:AFTER_MAX] or None,
    )
    return render_template(
        "catalogue/desk_items.html",
        found=found,
        given=asked,
        rule=BY_CODE.get(rule),
        bodies=organisations.bodies_of(by, Permission.ITEMS_READ),
    )


def _state(text: str) -> VersionState | None:
    return VersionState(text) if text in set(VersionState) else None


@desk.get("/review")
@access.staff(Permission.ITEMS_READ)
def review() -> str:
    return render_template("catalogue/desk_review.html", found=desk_reading.waiting(access.current_staff()))


@desk.get("/directory")
@access.staff(Permission.ITEMS_READ)
def directory() -> str:
    text = request.args.get("q", "").strip()[:QUERY_MAX]
    after = request.args.get("after", "")[:AFTER_MAX] or None
    found = desk_reading.directory(text=text, after=after)
    return render_template("catalogue/desk_directory.html", found=found, text=text)


@desk.get("/directory/new")
@access.staff(Permission.ITEMS_REVIEW)
def new_directory() -> str:
    return _directory_form(None, {"code_scheme": OUR_SCHEME}, {})


@desk.post("/directory/new")
@access.staff(Permission.ITEMS_REVIEW)
def create_directory() -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    try:
        new = desk_forms.directory_sent(request.form)
        made = db.transaction(lambda: editing.create_directory(by, new, now=now))
    except (Invalid, Conflict) as error:
        return _directory_form(None, request.form, _problems(error)), 422
    flash("已列入基本目录。", "success")
    return redirect(url_for(".entry", directory_id=made), 303)


@desk.get("/directory/<id:directory_id>")
@access.staff(Permission.ITEMS_READ)
def entry(directory_id: int) -> str:
    by = access.current_staff()
    found = desk_reading.directory_entry(directory_id)
    return render_template(
        "catalogue/desk_entry.html", entry=found, lines=desk_reading.carried_out(by, directory_id)
    )


@desk.get("/directory/<id:directory_id>/edit")
@access.staff(Permission.ITEMS_REVIEW)
def edit_directory(directory_id: int) -> str:
    found = desk_reading.directory_entry(directory_id)
    values = {
        "code": found.code,
        "code_scheme": found.code_scheme,
        "name": found.name,
        "item_type": found.item_type,
        "domain": found.domain,
        "sample": "1" if found.sample else "",
        "version": str(found.version),
    }
    values |= {
        f"basis-{number}-{name}": one.get(name, "")
        for number, one in enumerate(found.legal_basis)
        for name in ("name", "number", "clause")
    }
    return _directory_form(directory_id, values, {})


@desk.post("/directory/<id:directory_id>/edit")
@access.staff(Permission.ITEMS_REVIEW)
def change_directory(directory_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    desk_reading.directory_entry(directory_id)
    try:
        new, version = desk_forms.directory_sent(request.form), _version_sent()
        db.transaction(lambda: editing.change_directory(by, directory_id, new, version=version))
    except (Invalid, Conflict) as error:
        return _directory_form(directory_id, request.form, _problems(error)), 422
    flash("已保存。", "success")
    return redirect(url_for(".entry", directory_id=directory_id), 303)


def _directory_form(directory_id: int | None, values: Mapping[str, Any], problems: Mapping[str, Any]) -> str:
    rows = sum(1 for name in values if name.startswith("basis-") and name.endswith("-name"))
    return render_template(
        "catalogue/desk_directory_form.html",
        directory_id=directory_id,
        values=values,
        problems=problems,
        rows=min(rows + desk_forms.BLANKS, desk_forms.BASES_MAX),
        name_max=NAME_MAX,
        code_max=CODE_MAX,
        scheme_max=SCHEME_MAX,
    )


@desk.get("/directory/<id:directory_id>/implementations/new")
@access.staff(Permission.ITEMS_EDIT)
def new_implementation(directory_id: int) -> str:
    return _implementation_form(directory_id, {"code_scheme": OUR_SCHEME}, {})


@desk.post("/directory/<id:directory_id>/implementations/new")
@access.staff(Permission.ITEMS_EDIT)
def create_implementation(directory_id: int) -> ResponseReturnValue:
    by, now, sent = access.current_staff(), clock.system_clock(), request.form
    desk_reading.directory_entry(directory_id)
    body_id = read_id(sent.get("body_id", ""))
    code, scheme = sent.get("code", "").strip(), sent.get("code_scheme", "").strip()
    problems: dict[str, list[str]] = {}
    if body_id is None:
        problems["body_id"] = ["请选择单位"]
    if not 0 < len(code) <= CODE_MAX:
        problems["code"] = [f"应有 1 至 {CODE_MAX} 个字"]
    if not 0 < len(scheme) <= SCHEME_MAX:
        problems["code_scheme"] = [f"应有 1 至 {SCHEME_MAX} 个字"]
    if problems or body_id is None:
        return _implementation_form(directory_id, sent, problems), 422

    def work() -> int:
        region = sent.get("region_code", "").strip() or organisations.get_body(body_id).region_code
        return editing.create_implementation(
            by,
            directory_id,
            body_id=body_id,
            region_code=region,
            code=code,
            code_scheme=scheme,
            now=now,
        )

    try:
        made = db.transaction(work)
    except (Invalid, Conflict) as error:
        return _implementation_form(directory_id, sent, _problems(error)), 422
    flash("实施清单已建立，可以起草第一个版本了。", "success")
    return redirect(url_for(".implementation", implementation_id=made), 303)


def _implementation_form(directory_id: int, values: Mapping[str, Any], problems: Mapping[str, Any]) -> str:
    return render_template(
        "catalogue/desk_implementation_form.html",
        entry=desk_reading.directory_entry(directory_id),
        values=values,
        problems=problems,
        bodies=organisations.bodies_of(access.current_staff(), Permission.ITEMS_EDIT),
        code_max=CODE_MAX,
        scheme_max=SCHEME_MAX,
    )


@desk.get("/<id:implementation_id>")
@access.staff(Permission.ITEMS_READ)
def implementation(implementation_id: int) -> str:
    found = desk_reading.implementation(access.current_staff(), implementation_id)
    names = organisations.names_of({one.created_by for one in found.versions})
    return render_template("catalogue/desk_implementation.html", found=found, names=names)


@desk.post("/<id:implementation_id>/versions")
@access.staff(Permission.ITEMS_EDIT)
def begin(implementation_id: int) -> ResponseReturnValue:
    by, now = access.current_staff(), clock.system_clock()
    try:
        made = db.transaction(lambda: editing.begin_version(by, implementation_id, now=now))
    except (Conflict, Forbidden) as error:
        flash(str(error), "error")
        return redirect(url_for(".implementation", implementation_id=implementation_id), 303)
    flash("已起草新版本，内容和现在的一样，请逐组修改。", "success")
    return redirect(url_for(".version", version_id=made), 303)


@desk.get("/versions/<id:version_id>")
@access.staff(Permission.ITEMS_READ)
def version(version_id: int) -> str:
    return _version_page(desk_reading.version(access.current_staff(), version_id), {})


def _version_page(found: DeskVersion, problems: Mapping[str, Any]) -> str:
    by = access.current_staff()
    changes = []
    if found.before is not None:
        changes = told(*desk_reading.compared(by, found.item.version_id, found.before.id))
    return render_template(
        "catalogue/desk_version.html",
        found=found,
        content=to_json(found.item.content),
        changes=changes,
        problems=problems,
        names=organisations.names_of({found.created_by, found.submitted_by} - {""}),
        today=clock.day_of(clock.system_clock()),
        cut=CHANGES_SHOWN,
    )


CHANGES_SHOWN = 200


@desk.post("/versions/<id:version_id>/moves")
@access.staff(Permission.ITEMS_READ)
def move(version_id: int) -> ResponseReturnValue:
    by, now, sent = access.current_staff(), clock.system_clock(), request.form
    found = desk_reading.version(by, version_id)
    if sent.get("event", "") not in set(VersionEvent):
        abort(404)
    event = VersionEvent(sent["event"])
    try:
        wanted = _version_sent()
        db.transaction(
            lambda: editing.move(
                by,
                version_id,
                event,
                version=wanted,
                reason=sent.get("reason", "").strip()[:REASON_MAX],
                open_cases=installation.open_cases_of,
                now=now,
            )
        )
    except Invalid as error:
        return _version_page(found, {"event": event, **_problems(error)}), 422
    except (Conflict, Forbidden) as error:
        flash(str(error), "error")
    else:
        flash(f"已{EVENT_LABELS[event]}。", "success")
    return redirect(url_for(".version", version_id=version_id), 303)


@desk.get("/versions/<id:version_id>/differences")
@access.staff(Permission.ITEMS_READ)
def differences(version_id: int) -> str:
    by = access.current_staff()
    found = desk_reading.version(by, version_id)
    others = [one for one in desk_reading.versions_of(found.item.id) if one.id != version_id]
    chosen = read_id(request.args.get("from", "")) or (found.before.id if found.before else None)
    changes = []
    if chosen is not None:
        changes = told(*desk_reading.compared(by, version_id, chosen))
    return render_template(
        "catalogue/desk_differences.html", found=found, others=others, chosen=chosen, changes=changes
    )


@desk.get("/versions/<id:version_id>/edit/<group>")
@access.staff(Permission.ITEMS_EDIT)
def edit(version_id: int, group: str) -> str:
    found = desk_reading.version(access.current_staff(), version_id)
    if group == "form":
        return _form_page(found, text_of_form(found.item.form), [], found.item.form)
    return _edit_page(found, group, to_json(found.item.content), {})


def _edit_page(found: DeskVersion, group: str, values: Mapping[str, Any], problems: Mapping[str, Any]) -> str:
    if not in_group(group):
        abort(404)
    return render_template(
        "catalogue/desk_edit.html",
        found=found,
        group=group,
        values=values,
        problems=problems,
        blanks=desk_forms.BLANKS,
        effective_on=request.form.get("effective_on", "") or found.item.effective_on.isoformat(),
    )


@desk.post("/versions/<id:version_id>/edit/<group>")
@access.staff(Permission.ITEMS_EDIT)
def save(version_id: int, group: str) -> ResponseReturnValue:
    by = access.current_staff()
    found = desk_reading.version(by, version_id)
    if group == "form":
        return _save_form(found)
    if not in_group(group):
        abort(404)
    raw = {
        **to_json(found.item.content),
        **desk_forms.fields_sent(in_group(group), request.form),
    }
    try:
        content, wanted = vetting.content_of(raw), _version_sent()
        day = _day_sent() if group == "basic" else None
    except Invalid as error:
        return _edit_page(found, group, raw, _problems(error)), 422
    return _saved(
        found,
        group,
        lambda: editing.save_version(
            by, version_id, version=wanted, content=content, keep_form=True, effective_on=day
        ),
    )


def _save_form(found: DeskVersion) -> ResponseReturnValue:
    by, text = access.current_staff(), request.form.get("document", "")
    form, faults = form_of_text(text)
    if faults or request.form.get("then") == "preview":
        return _form_page(found, text, faults, form), 422 if faults else 200
    wanted = _version_sent()
    return _saved(
        found,
        "form",
        lambda: editing.save_version(by, found.item.version_id, version=wanted, form=form),
    )


def _saved(found: DeskVersion, group: str, work: Callable[[], None]) -> ResponseReturnValue:
    version_id = found.item.version_id
    try:
        db.transaction(work)
    except (Conflict, Forbidden) as error:
        flash(str(error), "error")
        return redirect(url_for(".version", version_id=version_id), 303)
    flash(f"“{GROUP_LABELS[group]}”已保存。", "success")
    onward = list(GROUP_LABELS)[list(GROUP_LABELS).index(group) + 1 :]
    if request.form.get("then") == "next" and onward:
        return redirect(url_for(".edit", version_id=version_id, group=onward[0]), 303)
    return redirect(url_for(".version", version_id=version_id), 303)


def _form_page(found: DeskVersion, text: str, faults: list[str], form: Mapping[str, Any] | None) -> str:
    return render_template(
        "catalogue/desk_form.html", found=found, text=text, faults=faults, form=form, group="form"
    )


@desk.get("/quality")
@access.staff(Permission.ITEMS_READ)
def quality() -> str:
    by = access.current_staff()
    return render_template(
        "catalogue/desk_quality.html",
        scores=scoring.scores(by),
        rules=scoring.rule_counts(by),
    )


@desk.get("/quality/<id:body_id>")
@access.staff(Permission.ITEMS_READ)
def body_quality(body_id: int) -> str:
    found = scoring.body_quality(access.current_staff(), body_id)
    return render_template("catalogue/desk_body_quality.html", found=found)


def _problems(error: DomainError) -> dict[str, Any]:
    return dict(error.fields) or {"": [str(error)]}


def _version_sent() -> int:
    text = request.form.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("缺少版本号，请刷新页面", fields={"": ["缺少版本号，请刷新页面"]})
    return int(text)


def _day_sent() -> date:
    try:
        return date.fromisoformat(request.form.get("effective_on", ""))
    except ValueError:
        raise Invalid(fields={"effective_on": ["请填写日期"]}) from None


def _as_json(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
