"""libcurl's error numbers as stable causes with a sentence for people."""

from __future__ import annotations

import errno
from collections.abc import Mapping

import pycurl
from tornado.curl_httpclient import CurlError

from mobile_pages.probe.base import Cause

# OpenSSL's verification results (openssl-verification-options(1)).
_EXPIRED = frozenset({10})
_VERIFY_DETAILS = {
    9: "证书尚未生效。",
    10: "证书已过期。",
    18: "证书是自签名的，不受信任。",
    19: "证书链中有自签名的根证书，不受信任。",
    20: "证书链不完整或签发机构不受信任。",
    21: "证书链不完整或签发机构不受信任。",
    23: "证书已被吊销。",
}
_LOST = frozenset({pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR, pycurl.E_GOT_NOTHING, pycurl.E_PARTIAL_FILE})
# Writing refused by our cap on the body; and CURLE_TOO_LARGE (headers), which pycurl does not name.
_TOO_LARGE = frozenset({pycurl.E_WRITE_ERROR, 100})


# Nothing the page could help: no memory, no file of trusted roots, no socket, no free port.
_OURS = frozenset({pycurl.E_FAILED_INIT, pycurl.E_OUT_OF_MEMORY, pycurl.E_SSL_CACERT_BADFILE})
_OUR_SOCKETS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})


class OwnFault(Exception):
    """The look failed through our own fault and says nothing of the page."""


class Failure(Exception):
    """The look found the page not open.

    Attributes:
        cause: one of :class:`Cause`, or the guard's code.
        detail: one Chinese sentence.
    """

    def __init__(self, cause: str, detail: str) -> None:
        self.cause = cause
        self.detail = detail
        super().__init__(cause, detail)


def explain(error: CurlError, time_info: Mapping[str, float], os_errno: int, verify_result: int) -> Failure:
    """Return why the exchange ended, from what libcurl and OpenSSL left behind.

    Raises:
        OwnFault: through no fault of the page.
    """
    number = error.errno
    if number in _OURS or (number == pycurl.E_COULDNT_CONNECT and os_errno in _OUR_SOCKETS):
        raise OwnFault(str(error)) from error
    if number == pycurl.E_OPERATION_TIMEDOUT:
        return _too_slow(time_info)
    if number == pycurl.E_COULDNT_CONNECT:
        return _no_connection(os_errno)
    if number == pycurl.E_PEER_FAILED_VERIFICATION:
        if verify_result in _EXPIRED:
            return Failure(Cause.TLS_EXPIRED, _VERIFY_DETAILS[verify_result])
        return Failure(Cause.TLS_INVALID, _VERIFY_DETAILS.get(verify_result, "证书与域名不符或未通过校验。"))
    if number == pycurl.E_SSL_CONNECT_ERROR:
        return Failure(Cause.TLS_INVALID, "安全连接（TLS）握手失败。")
    # All headers together are told as a failure to receive.
    if number in _TOO_LARGE or (number == pycurl.E_RECV_ERROR and "Too large" in str(error)):
        return Failure(Cause.TOO_LARGE, "页面内容过大，超过探测上限。")
    if number in _LOST:
        return Failure(Cause.CONNECTION_LOST, "连接被对方中断，页面没有传完。")
    return Failure(Cause.BAD_ANSWER, "服务器的应答不符合 HTTP 协议。")


def _too_slow(time_info: Mapping[str, float]) -> Failure:
    seconds = f"{time_info.get('total', 0.0):.0f}"
    if not time_info.get("connect"):
        return Failure(Cause.CONNECT_TIMEOUT, f"等待 {seconds} 秒仍未能建立连接。")
    if not time_info.get("starttransfer"):
        return Failure(Cause.TIMEOUT, f"连接已建立，等待 {seconds} 秒仍没有应答。")
    return Failure(Cause.TIMEOUT, f"等待 {seconds} 秒页面仍没有传完。")


def _no_connection(os_errno: int) -> Failure:
    if os_errno == errno.ECONNREFUSED:
        return Failure(Cause.CONNECT_REFUSED, "服务器拒绝连接。")
    if os_errno == errno.ETIMEDOUT:
        return Failure(Cause.CONNECT_TIMEOUT, "建立连接超时。")
    return Failure(Cause.UNREACHABLE, "无法到达服务器所在网络。")
