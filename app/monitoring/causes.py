"""The probable cause of an outage in plain words, and what to look at first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.monitoring.domain import cause_label
from mobile_pages.probe.base import Cause

PHASE_LABELS = {
    "dns": "域名解析",
    "connect": "建立连接",
    "tls": "证书与加密",
    "status": "服务器应答",
    "content": "页面内容",
    "slow": "打开过慢",
    "other": "其他",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What probably happened.

    Attributes:
        phase: dns, connect, tls, status, content, slow or other.
        sentence: one Chinese sentence that a person without training understands.
        advice: what to check, in the order worth checking.
    """

    phase: str
    phase_label: str
    sentence: str
    advice: tuple[str, ...]


_SENTENCES = {
    "dns": "手机查不到这个网址的服务器在哪里，所有人都打不开。",
    "connect": "网址查得到，但服务器没有接通，多半是服务器、防火墙或线路的问题。",
    "tls": "服务器接通了，但证书有问题，手机会拦住不让打开。",
    "status": "服务器接通了，但回答说出错或找不到页面，问题在应用程序或网关。",
    "content": "打开的不是登记的那个页面，可能发布错了、被改动了或跳到了别处。",
    "slow": "服务器在工作，但在规定时间内没有把页面送完。",
    "other": "网址不再符合接入规定，或原因暂时不明。",
}
_ADVICE = {
    "dns": (
        "请域名管理单位查看域名是否到期、解析记录是否被改动",
        "用电信、联通、移动三家的域名服务器各查一次",
    ),
    "connect": (
        "查看服务器和前面的负载均衡、防火墙是否在运行",
        "查看最近是否改过安全策略、端口或专线",
        "同一机房或同一网段的其他网页是否也打不开",
    ),
    "tls": (
        "查看证书是否到期、域名是否对得上、中间证书是否装全",
        "换证书后重启网关，并用手机各打开一次",
    ),
    "status": (
        "查看应用日志里同一时间的错误",
        "查看数据库、审批接口等后端是否正常，最近是否发布过新版本",
    ),
    "content": (
        "用手机打开看是不是登记的页面，是否跳到登录、维护或其他页面",
        "查看最近是否发布过新版本；怀疑被篡改时先下线再排查",
    ),
    "slow": (
        "查看服务器负载、连接数和数据库慢查询",
        "查看带宽是否占满、页面是否引用了打不开的外部资源",
    ),
    "other": ("核对登记的网址是否改过，按接入规定重新登记",),
}
_PRECISE = {
    Cause.CONNECT_REFUSED: "服务器在，但这个端口没有程序在听，多半是服务停了或没有启动。",
    Cause.CONNECT_TIMEOUT: "连接请求没有任何回音，多半是服务器死机、断线或被防火墙挡住。",
    Cause.TLS_EXPIRED: "证书已经过期，手机会拦住不让打开；换上新证书就好。",
    Cause.REDIRECT_LOOP: "页面自己跳来跳去停不下来，多半是登录或网关的跳转配错了。",
    Cause.CONNECTION_LOST: "页面传到一半断了，多半是服务器程序中断或线路不稳。",
    Cause.TIMEOUT: "服务器在规定时间内没有把页面送完，居民看到的是一直转圈。",
}


def diagnose(phase: str, cause: str, evidence: Mapping[str, Any]) -> Diagnosis:
    """Return the probable cause of an outage.

    Args:
        evidence: what the confirming look found; ``status`` is told when there is one.
    """
    precise = _PRECISE.get(Cause(cause)) if cause in set(Cause) else None
    sentence = precise or _SENTENCES.get(phase, _SENTENCES["other"])
    status = evidence.get("status")
    if phase == "status" and status and status >= 400:
        sentence = f"{_of_status(status)}（状态码 {status}）。"
    label = PHASE_LABELS.get(phase, PHASE_LABELS["other"])
    return Diagnosis(phase, label, sentence, _ADVICE.get(phase, _ADVICE["other"]))


def _of_status(status: int) -> str:
    if status in (401, 403):
        return "服务器拒绝访问，多半是权限、白名单或安全设备拦截"
    if status in (404, 410):
        return "服务器说没有这个页面，多半是页面移走了或网址写错了"
    if status == 429:
        return "服务器说访问太多，多半是限流设得太紧"
    if status in (502, 503, 504):
        return "网关还在，但后面的应用没有回应，多半是应用停了或正在重启"
    return "服务器程序出错，没有给出页面" if status >= 500 else "服务器不接受这次访问"


def told(phase: str, cause: str) -> str:
    """Return phase and cause in a few words, for lists and messages."""
    return f"{PHASE_LABELS.get(phase, PHASE_LABELS['other'])}：{cause_label(cause)}"
