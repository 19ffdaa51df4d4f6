"""The JSON API's ground: a strict reader of bodies, and one place that completes the OpenAPI document."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import flask_smorest
from apispec import BasePlugin
from flask import Flask, Request, Response, request
from webargs import missing
from webargs.flaskparser import FlaskParser, abort, is_json_request
from werkzeug.routing import Rule

from app.core import access, clock, idempotency
from app.core.fields import ProblemSchema
from app.core.problems import MIME

_WRITING = {"post", "put", "patch", "delete"}
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

SECURITY_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "工作人员的接口令牌"},
    "resident": {"type": "http", "scheme": "bearer", "description": "居民登录后得到的令牌，以 r_ 开头"},
    "partner": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "第三方应用对请求的签名",
    },
}

# what each status of an error says, one shared response in the document each
_ERRORS = {
    HTTPStatus.BAD_REQUEST: "请求格式不正确",
    HTTPStatus.UNAUTHORIZED: "没有接口令牌，或令牌无效",
    HTTPStatus.FORBIDDEN: "没有权限",
    HTTPStatus.NOT_FOUND: "没有找到，或不在管理范围内",
    HTTPStatus.CONFLICT: "与现有数据冲突，或已被他人先行处理",
    HTTPStatus.PRECONDITION_FAILED: "版本（If-Match）已过时",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "提交的内容太大",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "不支持这种内容类型",
    HTTPStatus.UNPROCESSABLE_ENTITY: "填写有误，errors 逐个字段说明",
    HTTPStatus.PRECONDITION_REQUIRED: "缺少版本号（If-Match）",
    HTTPStatus.TOO_MANY_REQUESTS: "调用次数已达限额",
    HTTPStatus.SERVICE_UNAVAILABLE: "系统繁忙，请稍后再试",
}
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate", "Bearer"),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After", "几秒后再试"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After", "几秒后再试"),
}


class BodyParser(FlaskParser):
    """Reads JSON as strictly as RFC 8259 and I-JSON (RFC 7493) ask; what is refused is a 4xx."""

    def _raw_load_json(self, req: Request) -> Any:
        if not req.content_length and not req.get_data(cache=True):
            return missing
        if not is_json_request(req):
            abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            return strict_json(req.get_data(cache=True))
        except ValueError as error:
            abort(HTTPStatus.BAD_REQUEST, messages={"json": [str(error)]})


def strict_json(body: bytes) -> Any:
    """Parse JSON.

    Raises:
        ValueError: not UTF-8, not JSON, nested too deeply, a name twice in an object, a number that is
            no finite double or has thousands of digits, half of a surrogate pair. Says which, in Chinese.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ValueError("不是 UTF-8") from None
    try:
        found = json.loads(
            text, object_pairs_hook=_object, parse_float=_number, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise ValueError("嵌套太深") from None
    except json.JSONDecodeError:
        raise ValueError("不是有效的 JSON") from None
    except _Said:
        raise
    except ValueError:
        raise ValueError("数字太大") from None
    if "\\u" in text:
        _refuse_lone_surrogates(found)
    return found


class _Said(ValueError):
    """Our own words, to be passed on."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Said("同一个对象里有重复的字段名")
    return made


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _Said("数字太大")
    return value


def _refuse_constant(_name: str) -> None:
    raise _Said("NaN 和 Infinity 不是 JSON")


def _refuse_lone_surrogates(found: Any) -> None:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("含有不完整的代理对字符") from None


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """Part of the API; every capability uses this one."""

    ARGUMENTS_PARSER = BodyParser()


class HallApi(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest with the hall's error shape; the handlers are those of ``core.problems``."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None  # each error is named, see Contract

    def __init__(self, app: Flask) -> None:
        super().__init__(app, spec_kwargs={"extra_plugins": [Contract(app)]})

    def _register_error_handlers(self) -> None:
        return

    def _register_responses(self) -> None:
        for status, description in _ERRORS.items():
            response: dict[str, Any] = {
                "description": description,
                "content": {MIME: {"schema": self.ERROR_SCHEMA}},
            }
            if status in _HEADERS:
                name, meaning = _HEADERS[status]
                response["headers"] = {name: {"description": meaning, "schema": {"type": "string"}}}
            self.spec.components.response(status.name, response, lazy=True)
        self.spec.components.response(
            HTTPStatus.NOT_MODIFIED.name, {"description": "与 If-None-Match 相同"}, lazy=True
        )


class Contract(BasePlugin):
    """Says of every operation what all have in common: its id, who may call it, which errors it gives."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def operation_helper(
        self,
        path: str | None = None,
        operations: dict[str, Any] | None = None,
        **details: Any,
    ) -> None:
        rule: Rule = details["rule"]
        for method, operation in (operations or {}).items():
            mark = access.mark_of(self._app.view_functions[rule.endpoint], method.upper())
            public = mark is not None and mark.public
            name = _CASE.sub("_", rule.endpoint).replace(".", "_").lower()
            operation["operationId"] = f"{name}_{method}"
            operation["security"] = _security(mark)
            errors = _possible_errors(method, operation, public=public, of_object=bool(rule.arguments))
            if mark is not None and mark.for_partners:
                errors.append(HTTPStatus.TOO_MANY_REQUESTS)  # they have quotas
            for status in errors:
                operation["responses"].setdefault(str(int(status)), status.name)


def _security(mark: access.Mark | None) -> list[dict[str, list[str]]]:
    if mark is not None and mark.public:
        return []
    if mark is not None and mark.for_residents:
        return [{"resident": []}]
    if mark is not None and mark.for_partners:
        return [{"partner": []}]
    return [{"token": []}]


def _possible_errors(
    method: str, operation: dict[str, Any], *, public: bool, of_object: bool
) -> list[HTTPStatus]:
    writes, has_body = method in _WRITING, "requestBody" in operation
    names_an_object = has_body or any(
        str(one.get("name", "")).endswith("_id")
        for one in operation.get("parameters", ())
        if isinstance(one, dict)
    )
    found = {
        HTTPStatus.BAD_REQUEST: True,
        HTTPStatus.UNAUTHORIZED: not public,
        HTTPStatus.FORBIDDEN: not public,
        HTTPStatus.NOT_FOUND: of_object or names_an_object,
        HTTPStatus.CONFLICT: writes,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: has_body,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: has_body,
        HTTPStatus.UNPROCESSABLE_ENTITY: writes,
        HTTPStatus.SERVICE_UNAVAILABLE: True,
    }
    return [status for status, given in found.items() if given]


def answered_once(
    owner: str, operation: str, work: Callable[[], idempotency.Answer], *, of: str = ""
) -> Response:
    """Answer the current request, its repeats under the same ``Idempotency-Key`` with the same.

    Args:
        of: what the request is about where only its address says so.

    Raises:
        Invalid, KeyReused: see ``idempotency.answer_once``.
    """
    key = request.headers.get(idempotency.NAME)
    asked = of.encode() + request.get_data()
    answer = idempotency.answer_once(owner, operation, key, asked, work, now=clock.system_clock())
    return Response(answer.body, answer.status, content_type="application/json")


def json_answer(found: Any) -> Response:
    """Answer with plain data, past the schema: for routes that are asked for all the time."""
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return Response(text, content_type="application/json")
