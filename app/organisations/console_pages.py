"""Console pages of system administrators (accounts) and auditors (the trail)."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, audit, clock, db, outbox
from app.core.access import Permission
from app.core.errors import Conflict, Invalid, NotFound
from app.core.installation import settings
from app.organisations import service
from app.organisations.service import Grant, LinkPurpose, Role, StaffView

AUDIT_LINES = 200
DEAD_LETTERS = 100

console = Blueprint("organisations_console", __name__, url_prefix="/console", template_folder="templates")


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        raise Invalid("没有这个角色", fields={"role": ["没有这个角色"]}) from None


def _scope_name(grant: Grant, places: dict[str, str]) -> str:
    return places.get(grant.scope_ref, grant.scope_ref) if grant.scope_ref else "全省"


def _places() -> dict[str, str]:
    """Return the names of what a grant's ``scope_ref`` may be: region codes and ids of bodies."""
    names = {region.code: region.name for region in service.regions()}
    return names | {str(body.id): body.full_name for body in service.bodies()}


@console.get("/staff")
@access.staff(Permission.STAFF_MANAGE)
def staff() -> str:
    return _staff_page()


def _staff_page(problem: str = "") -> str:
    places = _places()
    people = [
        (person, [(grant, _scope_name(grant, places)) for grant in person.grants])
        for person in service.staff_list()
    ]
    return render_template(
        "organisations/staff.html",
        people=people,
        problem=problem,
        role_labels=service.ROLE_LABELS,
        state_labels=service.STATE_LABELS,
        bodies=service.bodies(),
        form=request.form,
        username_max=service.USERNAME_MAX,
        name_max=service.NAME_MAX,
    )


@console.post("/staff")
@access.staff(Permission.STAFF_MANAGE)
def create_staff() -> ResponseReturnValue:
    def work() -> tuple[StaffView, str]:
        grant = service.resolve_grant(_role(), request.form.get("scope", ""))
        person = service.create_staff(
            username=request.form.get("username", "").strip(),
            name=request.form.get("name", ""),
            grants=[grant],
            by=access.current_staff().actor,
            now=clock.system_clock(),
        )
        return person, _set_up_link(person.id)

    try:
        person, link = db.transaction(work)
    except (Invalid, Conflict, NotFound) as error:
        return _staff_page(_said(error)), 422
    return render_template("organisations/staff_link.html", person=person, link=link)


def _said(error: Invalid | Conflict | NotFound) -> str:
    return "；".join(word for said in error.fields.values() for word in said) or str(error)


def _set_up_link(staff_id: int) -> str:
    secret = service.one_time_link(
        staff_id,
        LinkPurpose.SET_UP,
        by=access.current_staff().actor,
        environment=settings().environment,
        now=clock.system_clock(),
    )
    return f"{settings().base_url}/staff/setup/{secret}"


@console.get("/staff/<id:staff_id>")
@access.staff(Permission.STAFF_MANAGE)
def person(staff_id: int) -> str:
    return _person_page(staff_id)


def _person_page(staff_id: int, problem: str = "") -> str:
    found, places = service.get_staff(staff_id), _places()
    return render_template(
        "organisations/person.html",
        person=found,
        grants=[(grant, _scope_name(grant, places)) for grant in found.grants],
        problem=problem,
        role_labels=service.ROLE_LABELS,
        state_labels=service.STATE_LABELS,
        bodies=service.bodies(),
        own=found.id == access.current_staff().staff_id,
    )


@console.post("/staff/<id:staff_id>/link")
@access.staff(Permission.STAFF_MANAGE)
def new_link(staff_id: int) -> str:
    found = service.get_staff(staff_id)
    link = db.transaction(lambda: _set_up_link(staff_id))
    return render_template("organisations/staff_link.html", person=found, link=link)


@console.post("/staff/<id:staff_id>/grants")
@access.staff(Permission.STAFF_MANAGE)
def add_grant(staff_id: int) -> ResponseReturnValue:
    def work() -> None:
        grant = service.resolve_grant(_role(), request.form.get("scope", ""))
        service.add_grant(staff_id, grant, by=access.current_staff().actor)

    try:
        db.transaction(work)
    except (Invalid, NotFound) as error:
        return _person_page(staff_id, _said(error)), 422
    flash("角色已加上。", "success")
    return redirect(url_for(".person", staff_id=staff_id))


@console.post("/staff/<id:staff_id>/grants/remove")
@access.staff(Permission.STAFF_MANAGE)
def remove_grant(staff_id: int) -> ResponseReturnValue:
    grant = service.grant_for(_role(), request.form.get("scope_ref", ""))
    db.transaction(lambda: service.remove_grant(staff_id, grant, by=access.current_staff().actor))
    flash("角色已取消。", "success")
    return redirect(url_for(".person", staff_id=staff_id))


@console.post("/staff/<id:staff_id>/disable")
@access.staff(Permission.STAFF_MANAGE)
def disable(staff_id: int) -> ResponseReturnValue:
    db.transaction(lambda: service.disable_staff(staff_id, by=access.current_staff().actor))
    flash("账户已停用。", "success")
    return redirect(url_for(".person", staff_id=staff_id))


@console.get("/audit")
@access.staff(Permission.AUDIT_READ)
def trail() -> str:
    return render_template("organisations/audit.html", lines=audit.recent(limit=AUDIT_LINES))


@console.get("/jobs")
@access.staff(Permission.JOBS_MANAGE)
def jobs() -> str:
    return render_template(
        "organisations/jobs.html", counts=outbox.counts(), letters=outbox.dead_letters(limit=DEAD_LETTERS)
    )


@console.post("/jobs/<id:job_id>/revive")
@access.staff(Permission.JOBS_MANAGE)
def revive_job(job_id: int) -> ResponseReturnValue:
    by = access.current_staff().actor
    db.transaction(lambda: outbox.revive(job_id, by=by, now=clock.system_clock()))
    flash("已重新排队，马上再试。", "success")
    return redirect(url_for(".jobs"))


@console.post("/jobs/<id:job_id>/give-up")
@access.staff(Permission.JOBS_MANAGE)
def give_up_job(job_id: int) -> ResponseReturnValue:
    db.transaction(lambda: outbox.give_up(job_id, by=access.current_staff().actor))
    flash("已放弃，不再重试。", "success")
    return redirect(url_for(".jobs"))
