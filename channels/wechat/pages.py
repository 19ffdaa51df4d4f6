"""Pages inside WeChat: the signature its script (JS-SDK) wants, and what pages must heed there.

Source: developers.weixin.qq.com, JS-SDK, appendix 1: sha1 over jsapi_ticket, noncestr, timestamp and url,
in this order, joined like a query.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import timedelta

from channels.base import ChannelEnv, ChannelError, PageConfig, PageRule, Token
from channels.http import whole_number
from channels.links import is_web_address
from channels.wechat.client import RENEW_BEFORE, Client, decode

MAX_APIS = 64
_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9:.]{0,63}")
_SDK = "https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html"
_LOGIN = "https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html"

RULES = (
    PageRule(
        "wechat-script-domain", "调用微信接口的网页，其域名须登记为公众号的“JS 接口安全域名”", True, _SDK
    ),
    PageRule(
        "wechat-login-domain", "通过微信登录后返回的网址，其域名须登记为公众号的“网页授权域名”", True, _LOGIN
    ),
    PageRule(
        "wechat-signed-address",
        "签名用的网址须与当前页面完全一致（含参数，不含 # 及其后部分），页面地址变化后须重新签名",
        True,
        _SDK,
    ),
    PageRule(
        "wechat-script-version", "引用微信 JS-SDK 时使用 1.0.0 以上版本，并兼容调用失败的情形", True, _SDK
    ),
    PageRule("wechat-signature-server", "签名须在服务器上生成，jsapi_ticket 不得下发到网页", True, _SDK),
)


def sign(ticket: str, nonce: str, signed_at: int, url: str) -> str:
    """Return the signature of a page; ``url`` is without fragment."""
    words = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={signed_at}&url={url}"
    # The platform's protocol wants SHA-1; nothing of ours rests on it.
    return hashlib.sha1(words.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


class Tickets:
    """The jsapi ticket of one account, shared with all processes through the token store.

    Few calls a day are granted for it, and it does not end with the access token.
    """

    def __init__(self, env: ChannelEnv, client: Client, app_id: str) -> None:
        self._env = env
        self._client = client
        self._app_id = app_id
        self._key = f"wechat:{app_id}:jsapi_ticket"

    def page_config(self, url: str, apis: Sequence[str]) -> PageConfig:
        """Sign a page.

        Raises:
            ChannelError: ``bad_url``, ``bad_apis``, or no ticket could be had.
        """
        if not is_web_address(url):
            raise ChannelError("only web pages are signed", retryable=False, code="bad_url")
        if len(apis) > MAX_APIS or not all(_API_NAME.fullmatch(api) for api in apis):
            raise ChannelError("no such functions", retryable=False, code="bad_apis")
        signed_at, nonce = int(self._env.clock().timestamp()), self._env.nonce()
        signature = sign(self._current().value, nonce, signed_at, url.partition("#")[0])
        return PageConfig(self._app_id, signed_at, nonce, signature, tuple(apis))

    def _current(self) -> Token:
        ticket = self._env.tokens.get(self._key)
        if ticket is not None and ticket.expires_at - self._env.clock() > RENEW_BEFORE:
            return ticket
        # The access token first: others wait while the ticket is fetched, and should wait for one call only.
        _ = self._client.access_token
        seen = ticket.version if ticket else 0
        return self._env.tokens.compare_and_refresh(self._key, seen, self._fetch)

    def _fetch(self) -> Token:
        result = decode(self._client.answer_of("GET", "/cgi-bin/ticket/getticket", params={"type": "jsapi"}))
        value, seconds = result.get("ticket"), whole_number(result.get("expires_in"))
        if not isinstance(value, str) or not value or seconds is None or not 0 < seconds <= 86_400:
            raise ChannelError("the answer holds no ticket", retryable=True, code="garbage")
        return Token(value, self._env.clock() + timedelta(seconds=seconds))
