"""The open API's own OpenAPI document: only what third parties call, and how to sign."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from app.core import access, api_docs
from app.core.installation import settings
from app.third_parties.domain import NONCE_MAX, NONCE_MIN, SKEW

OPEN = "/api/v1/open/"
HOW_TO_SIGN = f"""
每个请求都要签名：HTTP Message Signatures（RFC 9421），算法 hmac-sha256，密钥是应用的 secret（UTF-8 字节）。

1. 有请求体时先加 `Content-Digest: sha-256=:<请求体 SHA-256 的 base64>:`（RFC 9530）。
2. 覆盖的内容依次为 `"@method" "@path" "@query"`，有请求体时再加 `"content-digest"`；
   参数为 `created`（秒，与服务器相差不超过 {int(SKEW.total_seconds())} 秒）、`keyid`（密钥编号）、
   `nonce`（{NONCE_MIN} 至 {NONCE_MAX} 个字符，每次不同）。
3. 待签名文本每项一行：`"@method": POST`、`"@path": /api/v1/open/messages`、
   `"@query": ?a=1&b=2`（没有查询时为 `?`）、`"content-digest": …`，最后一行
   `"@signature-params": (…);created=…;keyid="…";nonce="…"`，行与行之间用 `\\n`，末尾没有换行。
4. `Signature-Input: hall=<@signature-params 的值>`，`Signature: hall=:<HMAC 的 base64>:`。

各语言都有 RFC 9421 的库，也可以照上面自己写，约十五行。每个回答的 `RateLimit`、`RateLimit-Policy`
说明本分钟和本日还剩多少次；用完时回答 429 和 `Retry-After`。
"""

docs_pages = Blueprint("third_parties_docs", __name__)


@docs_pages.get("/api/open/openapi.json")
@access.public("the contract that third parties build on")
def document() -> dict[str, Any]:
    part = api_docs.part(OPEN)
    part["info"] = {
        "title": "广东省网上办事大厅开放接口",
        "version": part["info"]["version"],
        "description": HOW_TO_SIGN,
    }
    part["servers"] = [{"url": settings().base_url}]
    part["components"]["securitySchemes"] = {
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "Signature",
            "description": "与 Signature-Input 一起发送，见开头的说明",
        }
    }
    part["security"] = [{"signature": []}]
    for item in part["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    return part


@docs_pages.get("/api/open/docs")
@access.public("documentation of the open API")
def docs() -> str:
    return api_docs.page("third_parties_docs.document")
