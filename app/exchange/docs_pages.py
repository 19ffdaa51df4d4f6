"""The exchange's own OpenAPI document: the ten messages field by field, and how to sign."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from app.core import access, api_docs
from app.core.installation import settings
from app.exchange.domain import BATCH_MAX, BODY_MAX_BYTES
from app.third_parties.service import HOW_TO_SIGN
from config import exchange
from config.exchange import FieldSpec, MessageSpec

PATHS = "/api/v1/exchange/"
BODY = "ExchangeBody"
HOW = f"""
部门业务系统按《对接规范》的十种报文与大厅互报办件。先在管理台登记系统，用测试密钥通过联调测试，再由省级管理人员上线。

**报送**：`PUT …/messages/{{sptype}}/{{seq}}?version=n`。
`seq` 是本办件的报文序号，从 1 起连续；`version` 是数据版本号，更正加 1。
- 201 已入账；202 已收下，等待序号较小的报文；200 与以前收到的相同，回执与第一次一样。
- 409 `version_taken` 同一版本换了内容，`version_too_low` 已有更高的版本；422 `message_invalid` 逐个字段说明。
- 没有收到回答就原样再报，报多少次都只入账一次。

**回执**：`digest` 是报文（字段名排序、没有空白的 JSON，UTF-8）的 SHA-256；
`hash` 是 `data_version digest received_at sblsh seq sptype state` 七项的 SHA-256，写法相同。

**分发**：大厅的新办件、补正、撤回放入收件箱，`GET /inbox?system=…&after=n` 取，`POST /inbox/acks` 确认；
登记了推送地址（事件 `exchange.message`）的另收到签名的通知，通知里没有办件内容。
不确认的按 5 分钟、1、2、4、8、20 小时重发。

一条报文最多 {BODY_MAX_BYTES // 1024} KB，一批最多 {BATCH_MAX} 条。
时间是北京时间，写成 `2026-03-02 09:00:00`。
"""

docs_pages = Blueprint("exchange_docs", __name__)


@docs_pages.get("/api/exchange/openapi.json")
@access.public("the contract that departments' systems dock by")
def document() -> dict[str, Any]:
    part = api_docs.part(PATHS)
    part["info"] = {
        "title": "广东省网上办事大厅办件数据对接接口",
        "version": f"{exchange.standard().version}",
        "description": HOW + HOW_TO_SIGN,
    }
    part["servers"] = [{"url": settings().base_url}]
    schemas = part["components"]["schemas"]
    schemas |= {f"Message{spec.code}": schema_of(spec) for spec in exchange.standard().messages.values()}
    schemas[BODY] = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in _names()]}
    part["components"]["securitySchemes"] = {
        "signature": {"type": "apiKey", "in": "header", "name": "Signature", "description": "见开头的说明"}
    }
    part["security"] = [{"signature": []}]
    for item in part["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    return part


@docs_pages.get("/api/exchange/docs")
@access.public("documentation of the exchange")
def docs() -> str:
    return api_docs.page("exchange_docs.document")


def schema_of(spec: MessageSpec) -> dict[str, Any]:
    """Return the JSON Schema of a message, as the facts and the hall's rules have it."""
    return {
        "type": "object",
        "title": f"{spec.code} {spec.name}（sptype {spec.number}）",
        "additionalProperties": False,
        "required": list(spec.required),
        "properties": {code: _field(field) for code, field in spec.fields.items()},
        "example": exchange.examples()[spec.code],
    }


def _names() -> list[str]:
    return [f"Message{spec.code}" for spec in exchange.standard().messages.values()]


def _field(field: FieldSpec) -> dict[str, Any]:
    if field.kind == "materials":
        rules = exchange.standard()
        one = {
            "type": "object",
            "additionalProperties": False,
            "required": list(rules.material_required),
            "properties": {code: _field(inner) for code, inner in rules.material.items()},
        }
        return {"type": "array", "title": field.name, "maxItems": rules.materials_max, "items": one}
    made: dict[str, Any] = {"type": "string", "title": field.name, "maxLength": field.longest}
    if field.codes:
        made |= {
            "enum": list(field.codes),
            "description": "；".join(f"{code} {meaning}" for code, meaning in field.codes.items()),
        }
    patterns = {
        "number": r"^[0-9]+$",
        "money": r"^[0-9]{1,12}(\.[0-9]{1,2})?$",
        "moment": r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$",
        "day": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    }
    return made | ({"pattern": patterns[field.kind]} if field.kind in patterns else {})
