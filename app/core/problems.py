"""One error shape for everything: RFC 9457 problem+json with a stable ``code``; a plain page for people."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit, urlunsplit

import structlog
from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from werkzeug.exceptions import HTTPException

from app.core import db, errors
from app.core.errors import DomainError

log = structlog.get_logger(__name__)
MIME = "application/problem+json"
STEP_UP_PATH = "/me/verify"
"""Where a resident proves more about who they are."""

_STATUS: dict[type[DomainError], HTTPStatus] = {
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.NotSignedIn: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DomainError: HTTPStatus.UNPROCESSABLE_ENTITY,
}

# code, Chinese title by HTTP status, for what the framework itself refuses
_HTTP_TITLES = {
    400: ("bad_request", "请求格式不正确"),
    401: ("not_signed_in", "请先登录"),
    403: ("forbidden", "没有权限"),
    404: ("not_found", "没有找到"),
    405: ("method_not_allowed", "不支持这种操作"),
    406: ("not_acceptable", "无法按要求的格式回答"),
    409: ("conflict", "与现有数据冲突"),
    412: ("stale", "已被他人先行处理，请刷新后再试"),
    413: ("too_large", "提交的内容太大"),
    414: ("uri_too_long", "地址太长"),
    415: ("unsupported_media_type", "不支持这种内容类型"),
    422: ("invalid", "填写有误"),
    428: ("precondition_required", "缺少版本号（If-Match）"),
    429: ("too_many_requests", "操作太频繁，请稍后再试"),
    431: ("headers_too_large", "请求头太大"),
}


def status_of(error: DomainError) -> HTTPStatus:
    return next(_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS)


def init_app(app: Flask) -> None:
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(Exception, _unforeseen)


def as_page(page: str, error: DomainError) -> Response:
    """Return a page that shows an error in its own words, with the status and what goes with it."""
    answer = make_response(page, status_of(error))
    if isinstance(error, errors.TooMany | errors.Unavailable):
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _domain(error: DomainError) -> ResponseReturnValue:
    if isinstance(error, errors.NotSignedIn) and _wants_page():
        # Only what can be asked for again: the address of a form's answer may know POST alone.
        wanted = request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else None
        if isinstance(error, errors.ResidentNotSignedIn):
            return redirect(url_for("identity_pages.sign_in", return_to=wanted))
        return redirect(url_for("organisations_pages.sign_in", next=wanted))
    more: dict[str, object] = {}
    if isinstance(error, errors.LevelTooLow):
        back = _where_one_was()
        words = {"level": error.level_needed, **({"return_to": back} if back else {})}
        step_up = f"{STEP_UP_PATH}?{urlencode(words)}"
        if _wants_page():
            return redirect(step_up, HTTPStatus.SEE_OTHER)
        more = {"level_needed": error.level_needed, "step_up": step_up}
    answer = _answer(
        status_of(error),
        error.code,
        error.title,
        error.title_en,
        detail=str(error),
        fields=error.fields,
        more=more,
    )
    if isinstance(error, errors.NotSignedIn):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="hall"'
    if isinstance(error, errors.TooMany | errors.Unavailable):
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    status = HTTPStatus(error.code or 500)
    code, title = _HTTP_TITLES.get(status, ("refused", "请求未被受理"))
    data = getattr(error, "data", None) or {}
    fields = data.get("messages", {}) if isinstance(data, dict) else {}
    answer = _answer(status, code, title, status.phrase, fields=fields)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            answer.headers[name] = value
    return answer


def _database(error: DBAPIError) -> ResponseReturnValue:
    known = db.as_unavailable(error)
    if isinstance(known, DomainError):
        log.warning("database_away", error=type(error.orig).__name__)
        return _domain(known)
    if isinstance(error, IntegrityError):
        return _domain(errors.Conflict())
    if isinstance(error, DataError):
        return _domain(errors.Invalid("内容超出允许的长度或范围"))
    return _unforeseen(error)


def _unforeseen(error: Exception) -> ResponseReturnValue:
    log.exception("unforeseen_error", error=type(error).__name__)
    return _answer(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "系统出错，我们已记录",
        "Internal error",
    )


def _where_one_was() -> str | None:
    """Return the page to come back to; after a form was sent, the page that it stood on."""
    if not _wants_page():
        return None
    if request.method in {"GET", "HEAD"}:
        return request.full_path.rstrip("?")
    before = urlsplit(request.referrer or "")
    return urlunsplit(("", "", before.path, before.query, "")) if before.netloc == request.host else None


def _wants_page() -> bool:
    if request.path.startswith(("/api/", "/callbacks/")):
        return False
    best = request.accept_mimetypes.best_match(["text/html", MIME, "application/json"])
    return best == "text/html"


def _answer(
    status: HTTPStatus,
    code: str,
    title: str,
    title_en: str,
    *,
    detail: str = "",
    fields: object = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    if _wants_page():
        page = render_template("core/problem.html", status=int(status), title=title, detail=detail, code=code)
        return make_response(page, status)
    body: dict[str, object] = {
        "type": f"urn:hall:problem:{code}",
        "code": code,
        "title": title,
        "title_en": title_en,
        "status": int(status),
        "request_id": request.environ.get("hall.request_id", ""),
    }
    if detail and detail != title:
        body["detail"] = detail
    if fields:
        body["errors"] = fields
    body |= more or {}
    answer = make_response(body, status)
    answer.content_type = MIME
    return answer
