"""Signing in and out, the landing page and one's own API tokens."""

from __future__ import annotations

import re

import segno
from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.core import access, clock, db, limits
from app.core.access import Permission
from app.core.errors import Invalid
from app.core.installation import settings
from app.organisations import service
from app.organisations.authenticator import end_session, start_session
from app.organisations.service import LinkPurpose

SECOND_FACTOR, NEXT = "second_factor", "next"
# Not //host or /\host, which browsers take for another site; no control characters, which they drop.
LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x1f\x7f]*")
WRONG = "用户名、密码或验证码不对。连续输错 5 次，账户会锁定 15 分钟。"
SECTIONS = (
    (Permission.PAGES_READ, "/console/pages", "移动网页", "登记、检测、审核和发布"),
    (Permission.CASES_READ, "/desk/cases", "办件", "要受理、审查和决定的申请，统计和文书"),
    (Permission.CALENDAR_MANAGE, "/console/calendar", "工作日历", "各年的节假日和调休，办理期限按它计算"),
    (Permission.WATCH, "/wall", "监控墙", "各地各部门网页的运行情况"),
    (None, "/alerts", "告警", "我的告警消息和接收方式"),
    (Permission.CHANNELS_MANAGE, "/console/accounts", "渠道账号", "微信公众号、支付宝服务窗"),
    (Permission.CHANNELS_MANAGE, "/console/third-parties", "第三方应用", "接入审核、密钥、限额和推送"),
    (Permission.PAGES_REGISTER, "/console/third-parties", "第三方应用", "本单位系统接入：申请、密钥和推送"),
    (Permission.STAFF_MANAGE, "/console/staff", "人员", "账户、角色和范围"),
    (Permission.JOBS_MANAGE, "/console/jobs", "后台工作", "多次没有做成、等人处理的"),
    (Permission.AUDIT_READ, "/console/audit", "留痕", "谁在什么时候做了什么"),
    (None, "/staff/tokens", "接口令牌", "供部门系统调用接口"),
)

pages = Blueprint("organisations_pages", __name__, url_prefix="/staff", template_folder="templates")


@pages.after_request
def _never_stored(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"  # links carry their secret in the address
    return answer


def local_path(asked: str | None) -> str:
    """Return ``asked`` when it leads to a page of ours, else the landing page."""
    return asked if asked and LOCAL_PATH.fullmatch(asked) else url_for(".landing")


def _count_attempt() -> None:
    limits.hit(service.ATTEMPTS_PER_ADDRESS, "sign-in", request.remote_addr or "-")


@pages.get("/sign-in")
@access.public("staff sign in here")
def sign_in() -> ResponseReturnValue:
    target = local_path(request.args.get("next"))
    if access.maybe_staff() is not None:
        return redirect(target)
    return render_template("organisations/sign_in.html", next=target)


@pages.post("/sign-in")
@access.public("staff sign in here")
def check_password() -> ResponseReturnValue:
    _count_attempt()
    username = request.form.get("username", "").strip().lower()[: service.USERNAME_MAX + 1]
    target = local_path(request.form.get("next"))
    matches = service.password_matches(username, request.form.get("password", ""))
    secret = db.transaction(
        lambda: service.after_password(
            username, matches, environment=settings().environment, now=clock.system_clock()
        )
    )
    if secret is None:
        return render_template("organisations/sign_in.html", next=target, problem=WRONG), 422
    session[SECOND_FACTOR], session[NEXT] = secret, target
    return redirect(url_for(".code"))


@pages.get("/sign-in/code")
@access.public("second step of signing in")
def code() -> ResponseReturnValue:
    if SECOND_FACTOR not in session:
        return redirect(url_for(".sign_in"))
    return render_template("organisations/code.html")


@pages.post("/sign-in/code")
@access.public("second step of signing in")
def check_code() -> ResponseReturnValue:
    _count_attempt()
    first_step, typed = str(session.get(SECOND_FACTOR, "")), request.form.get("code", "")
    secret = db.transaction(lambda: service.after_code(first_step, typed, now=clock.system_clock()))
    if secret is None:
        return render_template("organisations/code.html", problem=WRONG), 422
    target = local_path(session.get(NEXT))
    start_session(secret)
    return redirect(target)


@pages.post("/sign-out")
@access.public("a session that is over may still be signed out of")
def sign_out() -> ResponseReturnValue:
    end_session()
    return redirect(url_for(".sign_in"))


@pages.get("/link/<token>")
@access.public("the link is the credential; previews of chat apps only look")
def see_link(token: str) -> str:
    person = service.see_link(token, LinkPurpose.SIGN_IN, now=clock.system_clock())
    return render_template("organisations/link.html", person=person)


@pages.post("/link/<token>")
@access.public("the link is the credential")
def use_link(token: str) -> ResponseReturnValue:
    _count_attempt()
    secret = db.transaction(
        lambda: service.sign_in_by_link(token, environment=settings().environment, now=clock.system_clock())
    )
    start_session(secret)
    return redirect(url_for(".landing"))


@pages.get("/setup/<token>")
@access.public("the link is the credential; previews of chat apps only look")
def see_set_up(token: str) -> str:
    person = service.see_link(token, LinkPurpose.SET_UP, now=clock.system_clock())
    return render_template("organisations/set_up_begin.html", person=person)


@pages.post("/setup/<token>")
@access.public("the link is the credential")
def begin_set_up(token: str) -> str:
    _count_attempt()
    return _set_up_form(token)


@pages.post("/setup/<token>/finish")
@access.public("the link is the credential")
def finish_set_up(token: str) -> ResponseReturnValue:
    _count_attempt()
    person = service.see_link(token, LinkPurpose.SET_UP, now=clock.system_clock())
    password, typed = request.form.get("password", ""), request.form.get("code", "")
    try:
        if password != request.form.get("password_again", ""):
            raise Invalid("两次输入的密码不一样")
        password_hash = service.new_password_hash(password, person.username)
        secret = db.transaction(
            lambda: service.finish_set_up(
                token, password_hash=password_hash, code=typed, now=clock.system_clock()
            )
        )
    except Invalid as error:
        return _set_up_form(token, str(error)), 422
    start_session(secret)
    flash("设置完成，已登录。", "success")
    return redirect(url_for(".landing"))


def _set_up_form(token: str, problem: str = "") -> str:
    view = db.transaction(lambda: service.begin_set_up(token, now=clock.system_clock()))
    picture = segno.make(view.totp_uri, micro=False).svg_data_uri(scale=6, border=4, light="white")
    return render_template(
        "organisations/set_up.html",
        view=view,
        picture=picture,
        token=token,
        problem=problem,
        password_min=service.PASSWORD_MIN,
        password_max=service.PASSWORD_MAX,
    )


@pages.get("/")
@access.staff()
def landing() -> str:
    who = access.current_staff()
    open_to = [section[1:] for section in SECTIONS if section[0] is None or who.may(section[0])]
    demo = service.is_demo_account(who.staff_id, environment=settings().environment)
    return render_template("organisations/landing.html", sections=open_to, demo=demo)


@pages.get("/demo-code")
@access.staff()
def demo_code() -> str:
    who, now = access.current_staff(), clock.system_clock()
    told = service.demo_code(who.staff_id, environment=settings().environment, now=now)
    return render_template("organisations/demo_code.html", told=told)


@pages.get("/tokens")
@access.staff()
def tokens() -> str:
    return _tokens_page()


@pages.post("/tokens")
@access.staff()
def issue_token() -> ResponseReturnValue:
    who, days = access.current_staff(), request.form.get("days", "")
    try:
        secret = db.transaction(
            lambda: service.issue_api_token(
                who.staff_id,
                name=request.form.get("name", ""),
                days=int(days) if days.isdecimal() and len(days) <= 4 else 0,
                by=who.actor,
                now=clock.system_clock(),
            )
        )
    except Invalid as error:
        return _tokens_page(problems=error.fields), 422
    return _tokens_page(secret=secret)


@pages.post("/tokens/<id:token_id>/revoke")
@access.staff()
def revoke_token(token_id: int) -> ResponseReturnValue:
    staff_id = access.current_staff().staff_id
    db.transaction(lambda: service.revoke_api_token(token_id, staff_id=staff_id, now=clock.system_clock()))
    flash("令牌已作废。", "success")
    return redirect(url_for(".tokens"))


def _tokens_page(secret: str = "", problems: object = None) -> str:
    return render_template(
        "organisations/tokens.html",
        tokens=service.api_tokens(access.current_staff().staff_id),
        secret=secret,
        problems=problems or {},
        now=clock.system_clock(),
        name_max=service.TOKEN_NAME_MAX,
        days_max=service.TOKEN_DAYS_MAX,
    )
