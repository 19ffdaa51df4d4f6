"""Residents' pages of sign-in, and “我的”: ways of signing in, where one is signed in, closing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, cast

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from app.core import access, clock, db, limits, problems, web
from app.core.errors import DomainError, NotFound
from app.core.installation import links_of_residents, settings
from app.core.own_path import is_own_path
from app.identity import authenticator, service
from app.identity.service import CLIENT_LABELS, Client, SignedIn, SignInUsed
from channels import registry
from channels.base import ClientEnv, LoginScope

P = ParamSpec("P")
PLATFORM_NAMES = {"wechat": "微信", "alipay": "支付宝"}

pages = Blueprint("identity_pages", __name__, template_folder="templates")


@pages.before_request
def _frame() -> None:
    # In demo the sandbox's phone shows these pages in a frame, as a platform's web view would.
    sandbox = settings().sandbox_url
    web.allow_framing(f"'self' {sandbox}" if sandbox else "'self'")


@pages.after_request
def _never_stored(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.context_processor
def _words() -> dict[str, Any]:
    return {"client_labels": CLIENT_LABELS, "elder": request.args.get("style") == "elder"}


def _tells_trouble(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Answer what goes wrong in ``view`` in words, with a button that begins anew."""

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        try:
            return view(*args, **kwargs)
        except DomainError as error:
            return _trouble(error)

    return wrapped


def _trouble(error: DomainError) -> Response:
    restart = service.restart_of(request.args.get("state", ""), authenticator.attempt_secret())
    status = problems.status_of(error)
    page = render_template(
        "identity/trouble.html",
        title=error.title,
        detail=str(error),
        code=error.code,
        status=int(status),
        again=url_for(".sign_in", return_to=restart),
    )
    return problems.as_page(page, error)


@pages.get("/me/sign-in")
@access.public("residents choose here how to sign in")
def sign_in() -> ResponseReturnValue:
    target = _target()
    if access.maybe_resident() is not None and request.args.get("again") != "yes":
        return redirect(target)
    env = registry.detect(dict(request.headers))
    platform = service.platform_of(env.channel) if env else ""
    return render_template(
        "identity/sign_in.html",
        ways=service.ways(platform),
        inside=PLATFORM_NAMES.get(platform, ""),
        return_to=target,
    )


@pages.get("/sign-in/<key>")
@access.public("a sign-in begins here")
@_tells_trouble
def begin(key: str) -> ResponseReturnValue:
    return _to_platform(key, _target(), resident_id=None)


@pages.get(service.RETURN_PATH)
@access.public("the platform leads back here")
@_tells_trouble
def finish() -> ResponseReturnValue:
    known = access.maybe_resident()
    try:
        ended = service.finish_sign_in(
            request.args,
            authenticator.attempt_secret(),
            now=clock.system_clock(),
            client=_client(registry.detect(dict(request.headers))),
            former=authenticator.session_secret(),
            signed_in=known.id if known else None,
        )
    except SignInUsed:
        # Some versions of WeChat ask for the return address twice; the first time did it.
        if known is None:
            raise
        return redirect(url_for(".me"))
    answer = redirect(ended.return_to)
    if ended.session is not None:
        session.pop("csrf_token", None)  # forms of before belong to whoever was here before
        authenticator.give_session(answer, ended.session)
    else:
        flash("已增加一种登录方式。", "success")
    return answer


@pages.get("/me")
@access.resident()
def me() -> str:
    one, now = _me(), clock.system_clock()
    view = service.view_of(one.id)
    bound = {binding.account_id for binding in view.bindings}
    names = {binding.account_id: binding.account_name for binding in view.bindings}
    return render_template(
        "identity/me.html",
        links=links_of_residents(),
        me=view,
        sessions=service.sessions(one.id, now=now),
        current=one.session_id,
        names=names,
        addable=[way for way in service.ways() if way.account_id not in bound],
    )


@pages.get("/me/bindings/add/<key>")
@access.resident()
@_tells_trouble
def add_binding(key: str) -> ResponseReturnValue:
    return _to_platform(key, url_for(".me"), resident_id=_me().id)


@pages.post("/me/bindings/<id:binding_id>/remove")
@access.resident()
def remove_binding(binding_id: int) -> ResponseReturnValue:
    return _done(lambda: service.unbind(_me().id, binding_id), "已解除这种登录方式。")


@pages.post("/me/sessions/<id:session_id>/end")
@access.resident()
def end_session(session_id: int) -> ResponseReturnValue:
    return _done(lambda: service.end_session(_me().id, session_id), "那一处已退出登录。")


@pages.post("/me/sessions/end-all")
@access.resident()
def end_all_sessions() -> ResponseReturnValue:
    db.transaction(lambda: service.end_all_sessions(_me().id))
    return _out("已在所有地方退出登录。")


@pages.post("/me/sign-out")
@access.resident()
def sign_out() -> ResponseReturnValue:
    db.transaction(lambda: service.end_session(_me().id, _me().session_id))
    return _out("已退出登录。")


@pages.post("/me/phone/forget")
@access.resident()
def forget_phone() -> ResponseReturnValue:
    return _done(lambda: service.forget_phone(_me().id), "已删除手机号码。")


@pages.get("/me/close")
@access.resident()
def close_form() -> str:
    return render_template("identity/close.html", problem="")


@pages.post("/me/close")
@access.resident()
def close() -> ResponseReturnValue:
    if request.form.get("sure") != "yes":
        return render_template("identity/close.html", problem="请先勾选“我明白”"), 422
    db.transaction(lambda: service.close(_me().id, now=clock.system_clock()))
    return _out("账户已注销。")


def _me() -> SignedIn:
    return cast(SignedIn, access.current_resident())


def _target() -> str:
    asked = request.args.get("return_to", "")
    return asked if is_own_path(asked) else url_for(".me")


def _to_platform(key: str, return_to: str, *, resident_id: int | None) -> ResponseReturnValue:
    limits.hit(service.STARTS_PER_ADDRESS, "sign-in", request.remote_addr or "-")
    scope = LoginScope.PROFILE if request.args.get("scope") == LoginScope.PROFILE else LoginScope.BASE
    start = service.start_sign_in(
        key,
        return_to,
        now=clock.system_clock(),
        scope=scope,
        cookie=authenticator.attempt_secret(),
        resident_id=resident_id,
    )
    answer = redirect(start.url)
    authenticator.give_attempt(answer, start.cookie)
    return answer


def _client(env: ClientEnv | None) -> Client:
    if env is None:
        return Client.BROWSER
    platform = service.platform_of(env.channel)
    known = {one.value: one for one in Client}
    return known.get(f"{platform}_mini" if env.mini_program else platform, Client.BROWSER)


def _done(work: Callable[[], None], said: str) -> ResponseReturnValue:
    try:
        db.transaction(work)
        flash(said, "success")
    except NotFound:
        raise
    except DomainError as error:
        flash(str(error), "error")
    return redirect(url_for(".me"), 303)


def _out(said: str) -> ResponseReturnValue:
    flash(said, "success")
    answer = redirect(url_for(".sign_in"), 303)
    session.pop("csrf_token", None)
    authenticator.take_session(answer)
    return answer
