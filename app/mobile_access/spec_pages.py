"""Console pages of the access spec's versions: which there are, publishing one, whom it touches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import DomainError, Invalid, NotFound
from app.mobile_access import service
from app.mobile_access.domain import CHANGELOG_MAX, GRACE_DAYS_MAX
from app.mobile_access.service import NewVersion
from app.mobile_access.wording import STATE_TONES, problems_of
from app.organisations import service as organisations
from config.access_spec.versions import PinchZoom

specs = Blueprint("mobile_access_specs", __name__, url_prefix="/console/spec", template_folder="templates")
_ZOOM_LABELS = {
    PinchZoom.ALLOW: "网页不得禁止两指缩放（WCAG 1.4.4）",
    PinchZoom.FORBID: "允许网页禁止两指缩放（浙里办 §6.5.4-14）",
}
_DIGITS_MAX = 4


@specs.get("")
@access.staff(Permission.PAGES_READ)
def versions() -> str:
    return _versions({}, {})


@specs.post("")
@access.staff(Permission.SPEC_MANAGE)
def publish() -> ResponseReturnValue:
    by = access.current_staff()
    try:
        new = _sent()
        made = db.transaction(lambda: service.publish_version(new, actor=by.actor, now=clock.system_clock()))
    except DomainError as error:
        return _versions(request.form, problems_of(error)), 422
    flash(f"第 {made.version} 版已发布。{made.effective_on} 起按新版判定所有网页，不重新访问。", "success")
    return redirect(url_for(".affected", version=made.version))


@specs.get("/<version>/affected")
@access.staff(Permission.PAGES_READ)
def affected(version: str) -> str:
    by = access.current_staff()
    return render_template(
        "mobile_access/affected.html",
        spec=_known(version),
        found=service.affected_pages(by, version),
        state_labels=service.STATE_LABELS,
        state_tones=STATE_TONES,
    )


@specs.get("/<version>/affected.csv")
@access.staff(Permission.PAGES_READ)
def affected_table(version: str) -> Response:
    _known(version)
    pages = service.affected_pages(access.current_staff(), version)
    answer = Response(service.affected_table(pages), content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=f"spec-{version}-affected.csv")
    return answer


def _known(version: str) -> service.SpecView:
    found = next((one for one in service.versions() if one.version == version), None)
    if found is None:
        raise NotFound("没有这个版本")
    return found


def _sent() -> NewVersion:
    sent = request.form
    try:
        effective_on = date.fromisoformat(sent.get("effective_on", ""))
    except ValueError:
        raise Invalid(fields={"effective_on": ["请选择日期"]}) from None
    days = sent.get("grace_days", "")
    zoom = sent.get("pinch_zoom", "")
    if zoom not in set(PinchZoom):
        raise Invalid(fields={"pinch_zoom": ["请选择"]})
    return NewVersion(
        version=sent.get("version", "").strip(),
        effective_on=effective_on,
        grace_days=int(days) if days.isascii() and days.isdigit() and len(days) <= _DIGITS_MAX else -1,
        pinch_zoom=PinchZoom(zoom),
        changelog=sent.get("changelog", "").strip(),
    )


def _versions(values: Mapping[str, str], problems: Mapping[str, str]) -> str:
    known = service.versions()
    today = clock.day_of(clock.system_clock())
    return render_template(
        "mobile_access/spec.html",
        versions=known,
        in_force=service.spec_in_force(today=today),
        names=organisations.names_of(one.published_by for one in known),
        zoom_labels=_ZOOM_LABELS,
        may_publish=access.current_staff().may(Permission.SPEC_MANAGE),
        values=values,
        problems=problems,
        today=today,
        grace_days_max=GRACE_DAYS_MAX,
        changelog_max=CHANGELOG_MAX,
    )
