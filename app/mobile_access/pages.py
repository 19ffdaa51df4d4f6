"""Console pages of the registry: list, forms, import, review, schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import marshmallow as ma
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.channel_accounts import service as channel_accounts
from app.core import access, audit, clock, db, limits
from app.core.access import Permission
from app.core.errors import DomainError, Invalid
from app.core.ids import read_id
from app.core.installation import settings
from app.mobile_access import service
from app.mobile_access.domain import EDITABLE, Event, events_from
from app.mobile_access.imports import import_pages
from app.mobile_access.registry import OBJECT
from app.mobile_access.schemas import PageQuerySchema, RegistrationSchema
from app.mobile_access.service import PageView, Registration, State
from app.mobile_access.tables import BYTES_MAX, COLUMNS, ROWS_MAX, ImportRefused, template
from app.mobile_access.wording import ACTION_LABELS, STATE_TONES, problems_of
from app.organisations import service as organisations

pages = Blueprint("mobile_access_pages", __name__, url_prefix="/console", template_folder="templates")
_registration = RegistrationSchema()
PROVEN_BY = (
    "signed_in_url",
    "ticket_url",
    "expired_ticket_url",
    "wechat_file",
    "wechat_file_text",
    "alipay_file",
    "may_probe_paths",
)
"""Fields that the form keeps folded up until one of them is filled in."""

_query = PageQuerySchema(unknown=ma.EXCLUDE)


@pages.context_processor
def _words() -> dict[str, Any]:
    return {
        "state_labels": service.STATE_LABELS,
        "state_tones": STATE_TONES,
        "theme_labels": service.THEME_LABELS,
        "channel_state_labels": service.CHANNEL_STATE_LABELS,
        "verdict_labels": service.VERDICT_LABELS,
        "check_kind_labels": service.CHECK_KIND_LABELS,
        "waiver_state_labels": service.WAIVER_STATE_LABELS,
        "kinds": channel_accounts.kinds(),
    }


@pages.get("/pages")
@access.staff(Permission.PAGES_READ)
def listing() -> str:
    by = access.current_staff()
    given = {name: value for name, value in request.args.items() if value.strip()}
    problems: Mapping[str, Any] = {}
    try:
        query = dict(_query.load(given))
    except ma.ValidationError as error:
        query, problems = {"limit": 50}, error.messages_dict
    cursor, limit = query.pop("cursor", None), query.pop("limit")
    found = service.listing(by, service.Filter(**query), cursor=cursor, limit=limit)
    return render_template(
        "mobile_access/listing.html",
        found=found,
        bodies={body.id: body for body in organisations.bodies()},
        given=given,
        problems=problems,
        graces=service.open_graces([page.id for page in found.items]),
        may_register=by.may(Permission.PAGES_REGISTER),
        waiting_waivers=len(service.waivers(by, service.WaiverState.REQUESTED)),
    )


@pages.get("/pages/new")
@access.staff(Permission.PAGES_REGISTER)
def new() -> str:
    return _form(None, {}, {})


@pages.post("/pages/new")
@access.staff(Permission.PAGES_REGISTER)
def create() -> ResponseReturnValue:
    by = access.current_staff()
    body_id = read_id(request.form.get("body_id", ""))
    try:
        wanted = _sent_registration()
        if body_id is None:
            raise Invalid(fields={"body_id": ["请选择单位"]})
        page = db.transaction(lambda: service.register(by, body_id, wanted, now=clock.system_clock()))
    except (DomainError, ma.ValidationError) as error:
        return _form(None, request.form, problems_of(error)), 422
    flash("网页已登记。可以提交检测了。", "success")
    return redirect(url_for(".detail", page_id=page.id))


@pages.get("/pages/<id:page_id>/edit")
@access.staff(Permission.PAGES_REGISTER)
def edit(page_id: int) -> str:
    page = service.get(access.current_staff(), page_id)
    return _form(page, _values(page), {})


@pages.post("/pages/<id:page_id>/edit")
@access.staff(Permission.PAGES_REGISTER)
def save(page_id: int) -> ResponseReturnValue:
    by = access.current_staff()
    page = service.get(by, page_id)
    try:
        wanted = _sent_registration()
        db.transaction(
            lambda: service.update_page(
                by, page_id, wanted, version=_sent_version(), now=clock.system_clock()
            )
        )
    except (DomainError, ma.ValidationError) as error:
        return _form(page, request.form, problems_of(error)), 422
    flash("已保存。", "success")
    return redirect(url_for(".detail", page_id=page_id))


@pages.get("/pages/<id:page_id>")
@access.staff(Permission.PAGES_READ)
def detail(page_id: int) -> str:
    return _detail(page_id, contact=None)


@pages.post("/pages/<id:page_id>/contact")
@access.staff(Permission.PAGES_READ)
def contact(page_id: int) -> str:
    """Show the contact person once; the reading stands in the trail."""
    found = db.transaction(lambda: service.contact(access.current_staff(), page_id))
    return _detail(page_id, contact=found)


@pages.post("/pages/<id:page_id>/check")
@access.staff(Permission.PAGES_REGISTER)
def check(page_id: int) -> ResponseReturnValue:
    return _act(
        page_id,
        lambda by: service.start_check(by, page_id, version=_sent_version(), now=clock.system_clock()),
        "已提交检测，一般一两分钟内有结果。",
    )


@pages.post("/pages/<id:page_id>/look-again")
@access.staff(Permission.PAGES_REGISTER)
def look_again(page_id: int) -> ResponseReturnValue:
    return _act(
        page_id,
        lambda by: _look_again(by, page_id),
        "已提交检测，检测期间居民照常使用。",
    )


def _look_again(by: organisations.Principal, page_id: int) -> None:
    limits.hit(service.LOOKS_AGAIN, "look-again", str(page_id))
    service.look_again(by, page_id, now=clock.system_clock())


@pages.post("/pages/<id:page_id>/suspend")
@access.staff(Permission.PAGES_REVIEW)
def suspend(page_id: int) -> ResponseReturnValue:
    return _act(
        page_id,
        lambda by: service.suspend(
            by, page_id, _sent_reason(), version=_sent_version(), now=clock.system_clock()
        ),
        "网页已下线，居民不再看到。",
    )


@pages.post("/pages/<id:page_id>/retire")
@access.staff(Permission.PAGES_REGISTER)
def retire(page_id: int) -> ResponseReturnValue:
    return _act(
        page_id,
        lambda by: service.retire(
            by, page_id, version=_sent_version(), reason=_sent_reason(), now=clock.system_clock()
        ),
        "网页已退出接入。",
    )


@pages.post("/pages/<id:page_id>/review")
@access.staff(Permission.PAGES_REVIEW)
def review(page_id: int) -> ResponseReturnValue:
    return _act(page_id, lambda by: _review(by, page_id), "审核结果已保存。")


def _review(by: organisations.Principal, page_id: int) -> PageView:
    """Apply the decision on each channel, approvals first, in one transaction."""
    decisions = {kind: request.form.get(f"decision-{kind}") for kind in channel_accounts.kinds()}
    approved = [kind for kind, decision in decisions.items() if decision == "approve"]
    rejected = [kind for kind, decision in decisions.items() if decision == "reject"]
    if not approved and not rejected:
        raise Invalid("请至少对一个渠道作出决定")
    version, now = _sent_version(), clock.system_clock()
    page = service.get(by, page_id)
    if approved:
        page = service.approve(by, page_id, approved, version=version, now=now)
        version = page.version
    for kind in rejected:
        reason = request.form.get(f"reason-{kind}", "").strip()[:500]
        page = service.reject(by, page_id, [kind], reason, version=version, now=now)
        version = page.version
    return page


@pages.get("/pages/import")
@access.staff(Permission.PAGES_REGISTER)
def import_form() -> str:
    return render_template("mobile_access/import.html", errors=(), columns=COLUMNS, rows_max=ROWS_MAX)


@pages.post("/pages/import")
@access.staff(Permission.PAGES_REGISTER)
def import_file() -> ResponseReturnValue:
    sent = request.files.get("file")
    content = sent.stream.read(BYTES_MAX + 1) if sent else b""
    try:
        policy = service.outbound_guard(settings()).policy
        made = import_pages(access.current_staff(), content, policy, now=clock.system_clock())
    except ImportRefused as refused:
        page = render_template(
            "mobile_access/import.html", errors=refused.errors, columns=COLUMNS, rows_max=ROWS_MAX
        )
        return page, 422
    flash(f"已登记 {len(made)} 个网页。", "success")
    return redirect(url_for(".listing"))


@pages.get("/pages/import/template")
@access.staff(Permission.PAGES_REGISTER)
def import_template() -> Response:
    return Response(
        template(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="mobile-pages.csv"'},
    )


@pages.get("/schedule")
@access.staff(Permission.PAGES_READ)
def schedule() -> str:
    rows = service.schedule_state(today=clock.day_of(clock.system_clock()))
    batches: dict[tuple[int, str], list[service.ScheduleRow]] = {}
    for row in rows:
        batches.setdefault((row.batch, row.label), []).append(row)
    met = sum(row.met for row in rows)
    return render_template("mobile_access/schedule.html", batches=batches, met=met, total=len(rows))


def _detail(page_id: int, contact: tuple[str, str] | None) -> str:
    by = access.current_staff()
    page = service.get(by, page_id)
    events = events_from(page.state)
    operates = organisations.covers(by, Permission.PAGES_REGISTER, page.body_id)
    reviews = organisations.covers(by, Permission.PAGES_REVIEW, page.body_id)
    history, waived = audit.history(OBJECT, page_id), service.waivers_of(by, page_id)
    actors = {one.actor for one in history}
    actors |= {actor for one in waived for actor in (one.requested_by, one.approver) if actor}
    return render_template(
        "mobile_access/detail.html",
        page=page,
        body=organisations.get_body(page.body_id),
        checks=service.checks_of(by, page_id),
        history=history,
        names=organisations.names_of(actors),
        waivers=waived,
        grace=service.open_grace(page_id),
        operates=operates,
        reviews=reviews,
        may_look_again=operates and page.state is State.ONLINE,
        action_labels=ACTION_LABELS,
        contact=contact,
        may_edit=operates and page.state in EDITABLE,
        may_check=operates and bool(events & {Event.CHECK, Event.RECHECK, Event.FIX}),
        may_retire=operates and Event.RETIRE in events,
        may_suspend=reviews and Event.SUSPEND in events,
        may_review=reviews and page.state in (State.PASSED, State.ONLINE),
        waiting=[one for one in page.channels if one.state is service.ChannelState.WANTED],
    )


def _act(page_id: int, act: Callable[[organisations.Principal], object], done: str) -> ResponseReturnValue:
    """Run one act in a transaction and go back to the page, with what happened in words."""
    by = access.current_staff()
    service.get(by, page_id)
    try:
        db.transaction(lambda: act(by))
        flash(done, "success")
    except DomainError as error:
        flash(str(error), "error")
    return redirect(url_for(".detail", page_id=page_id))


def _form(page: PageView | None, values: Mapping[str, Any], problems: Mapping[str, str]) -> str:
    by = access.current_staff()
    return render_template(
        "mobile_access/form.html",
        page=page,
        values=values,
        channels=values.getlist("channels") if hasattr(values, "getlist") else values.get("channels", ()),
        problems=problems,
        opened=any(values.get(name) or problems.get(name) for name in PROVEN_BY),
        bodies=organisations.bodies_of(by, Permission.PAGES_REGISTER),
    )


def _values(page: PageView) -> dict[str, Any]:
    values = {name: getattr(page, name) for name in _registration.fields if hasattr(page, name)}
    kinds = [one.kind for one in page.channels]
    return {**values, "theme": page.theme.value, "domains": " ".join(page.domains), "channels": kinds}


def _sent_registration() -> Registration:
    document: dict[str, Any] = {
        name: request.form[name] for name in _registration.fields if name in request.form
    }
    document["channels"] = request.form.getlist("channels")
    document["domains"] = request.form.get("domains", "").split()
    loaded: Registration = _registration.load(document)
    return service.vetted(loaded, service.outbound_guard(settings()))


def _sent_version() -> int:
    version = request.form.get("version", "")
    if not version.isdecimal() or len(version) > 9:
        raise Invalid("缺少版本号，请刷新页面")
    return int(version)


def _sent_reason() -> str:
    return request.form.get("reason", "").strip()[:500]
