"""How to sign, in the words of every document for third parties. Pure."""

from __future__ import annotations

from app.third_parties.domain import NONCE_MAX, NONCE_MIN, SKEW

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
