"""Residents' pages of proving who they are: real name, face, enterprises, two accounts that become one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db, problems
from app.core.errors import DomainError, Invalid, LevelTooLow, NotFound
from app.core.own_path import is_own_path
from app.identity import service
from app.identity.pages import pages
from app.identity.service import (
    ENTERPRISE_NAME_MAX,
    FACE_LEVEL,
    ID_KIND_LABELS,
    LINK_LABELS,
    NAME_LEVEL,
    IdKind,
    SignedIn,
)

NUMBER_MAX = 40


def _me() -> SignedIn:
    return cast(SignedIn, access.current_resident())


def _level() -> int:
    """Return the level that is asked for; whatever is not 3 is the real name."""
    return FACE_LEVEL if request.values.get("level") == str(FACE_LEVEL) else NAME_LEVEL


def _target() -> str:
    asked = request.values.get("return_to", "")
    return asked if is_own_path(asked) else url_for(".me")


@pages.get("/me/verify")
@access.resident()
def verify() -> ResponseReturnValue:
    return _page({}, {})


def _page(
    typed: Mapping[str, str], said: Mapping[str, Any], trouble: DomainError | None = None
) -> ResponseReturnValue:
    """Show the next step up to the level asked for: the name first, then the face."""
    me = _me()
    page = render_template(
        "identity/verify.html",
        person=service.person_of(me.id),
        level=me.level,
        wanted=_level(),
        return_to=_target(),
        kinds=ID_KIND_LABELS,
        offered=service.is_verifiable(),
        links=service.links(me.id),
        link_labels=LINK_LABELS,
        typed=typed,
        problems=said,
        trouble=trouble,
    )
    return page if trouble is None else problems.as_page(page, trouble)


@pages.post("/me/verify")
@access.resident()
def verify_name() -> ResponseReturnValue:
    form = request.form
    typed = {name: form.get(name, "")[:NUMBER_MAX] for name in ("kind", "name", "number")}
    try:
        kind = IdKind(typed["kind"])
    except ValueError:
        said = {"kind": ["请选择证件类型"]}
        return _page(typed, said, Invalid(fields=said))
    now = clock.system_clock()
    try:
        by = service.provider()
        service.verify_name(_me().id, kind, typed["number"], typed["name"], by=by, now=now)
    except DomainError as error:
        # Nothing of the number comes back on a page that was refused for another reason than its form.
        shown = typed if error.fields else {**typed, "number": ""}
        return _page(shown, error.fields, error)
    flash("实名认证成功。", "success")
    if _level() == FACE_LEVEL or service.links(_me().id):
        return redirect(url_for(".verify", level=_level(), return_to=_target()), 303)
    return redirect(_target(), 303)


@pages.post("/me/verify/face")
@access.resident(NAME_LEVEL)
def verify_face() -> ResponseReturnValue:
    me = _me()
    try:
        task = service.start_face(
            me.id,
            me.session_id,
            return_to=_target(),
            by_code=False,
            by=service.provider(),
            now=clock.system_clock(),
        )
    except DomainError as error:
        return _page({}, {}, error)
    # A link and no redirect: browsers let no form of ours end on another site.
    return render_template("identity/face.html", url=task.url, return_to=_target())


@pages.get(service.FACE_RETURN_PATH)
@access.public("the provider's page leads back here, for mini programs into a browser without a session")
def face_return() -> ResponseReturnValue:
    me = cast(SignedIn | None, access.maybe_resident())
    state = request.args.get("state", "")[:60]
    try:
        back = service.return_from_face(
            state, me.session_id if me else None, by=service.provider(), now=clock.system_clock()
        )
    except DomainError as error:
        page = render_template("identity/face_trouble.html", trouble=error, signed_in=me is not None)
        return problems.as_page(page, error)
    if back.code:
        return render_template("identity/face_code.html", code=back.code)
    flash("人脸核验成功，30 分钟内有效。", "success")
    return redirect(back.return_to)


@pages.post("/me/links/<id:link_id>/prove")
@access.resident()
def prove_link(link_id: int) -> ResponseReturnValue:
    me, now = _me(), clock.system_clock()
    try:
        state = db.transaction(lambda: service.prove_link(me.id, me.level, link_id, now=now))
    except (LevelTooLow, NotFound):
        raise
    except DomainError as error:
        flash(str(error), "error")
    else:
        done = state is not service.LinkState.PROPOSED
        flash("两个账户都已确认，正在归并。" if done else "已确认。请再用另一个账户登录并确认。", "success")
    return redirect(url_for(".verify"), 303)


@pages.get("/me/enterprises")
@access.resident(NAME_LEVEL)
def enterprises() -> ResponseReturnValue:
    return _enterprises({})


def _enterprises(typed: Mapping[str, str], trouble: DomainError | None = None) -> ResponseReturnValue:
    page = render_template(
        "identity/enterprises.html",
        found=service.enterprises_of(_me().id),
        offered=service.is_verifiable(),
        typed=typed,
        problems=trouble.fields if trouble else {},
        trouble=trouble,
    )
    return page if trouble is None else problems.as_page(page, trouble)


@pages.post("/me/enterprises")
@access.resident(NAME_LEVEL)
def add_enterprise() -> ResponseReturnValue:
    typed = {name: request.form.get(name, "")[:ENTERPRISE_NAME_MAX] for name in ("uscc", "name")}
    now = clock.system_clock()
    try:
        service.verify_enterprise(_me().id, typed["uscc"], typed["name"], by=service.provider(), now=now)
    except DomainError as error:
        return _enterprises(typed, error)
    flash("企业认证成功，您可以为它办事，也可以授权经办人。", "success")
    return redirect(url_for(".enterprises"), 303)
