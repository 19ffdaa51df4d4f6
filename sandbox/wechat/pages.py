"""Judge what a page hands to the phone's script (wx.config), as WeChat on the phone does.

Source: developers.weixin.qq.com, JS-SDK, appendices 1 and 5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

OK = "config:ok"


def judge(told: Mapping[str, Any], app_id: str, ticket: str | None, hosts: Collection[str]) -> str:
    """Return the words the phone shows: ``config:ok`` or why the page may call nothing.

    Args:
        hosts: host and port of the domains registered for scripts.
    """
    url = told.get("url")
    if not isinstance(url, str) or urlsplit(url).netloc not in hosts:
        return "config:invalid url domain"
    if told.get("app_id") != app_id:
        return "config:invalid appid"
    words = "&".join(
        (
            f"jsapi_ticket={ticket}",
            f"noncestr={told.get('nonce')}",
            f"timestamp={told.get('signed_at')}",
            f"url={url.split('#')[0]}",
        )
    )
    right = hashlib.sha1(words.encode(), usedforsecurity=False).hexdigest()
    return OK if ticket and told.get("signature") == right else "config:invalid signature"
