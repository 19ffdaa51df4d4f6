"""entry-response: the registered address opens and answers with a readable HTML page."""

from __future__ import annotations

import re

from mobile_pages.artifact import Artifact, Fetch, Trouble
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Verdict
from mobile_pages.spec.dom import shorten

_DOCTYPE = re.compile(r"\ufeff?(?>\s+|<!--(?>.*?-->))*+<!doctype\s+html\b", re.I | re.S)
_META_CHARSET = re.compile(r"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.I)
_UTF8 = frozenset({"utf-8", "utf8"})
_REPLACEMENT = "\ufffd"
_LEAST_LOST = 10
_LOST_SHARE = 0.2

# Trouble codes begin with the cause; the first that fits is told.
_ADVICE_BY_TROUBLE = (
    ("guard_dns", "域名解析不到：请核对地址有没有写错，并请运维人员确认域名已在公网解析。"),
    (
        "guard_private",
        "地址指向单位内网，群众的手机打不开。请换成公网能访问的正式地址，不要登记内网或测试地址。",
    ),
    ("guard_own", "登记的是本系统自己的地址，请换成本单位服务的入口地址。"),
    ("guard_https_downgrade", "跳转途中从加密地址退回了不加密地址，请把跳转目标改成 https:// 开头。"),
    ("guard_", "地址写法不合要求，请登记以 https:// 开头、不带端口和用户名的完整网址。"),
    ("redirect_loop", "页面来回跳转，永远打不开。请检查登录判断和 http/https 跳转规则是不是互相指来指去。"),
    ("too_many_redirects", "跳转次数太多，请把登记的地址换成最后到达的那个地址。"),
    ("timeout", "服务器没有在规定时间内返回页面。请检查服务是否正常、防火墙是否放行外网访问。"),
    ("tls", "加密连接建立不起来，请运维人员检查 HTTPS 证书和协议配置。"),
    ("too_large", "入口页太大，请拆分内容，图片和数据改为按需加载。"),
    ("headers_too_large", "响应头太大，请清理过多或过长的 Cookie。"),
)
_ADVICE_OTHERWISE = (
    "请用手机流量在外网打开登记的地址试一试，确认服务已启动、不需要专网或 VPN，修好后重新提交检查。"
)


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    entry = artifact.static.entry
    if entry.trouble is not None:
        return _unopened(entry.trouble)
    findings = tuple(one for one in (_status(entry), _type(entry), _charset(entry), _doctype(entry)) if one)
    measured = f"状态码 {entry.status}"
    return Outcome(Verdict.FAIL if findings else Verdict.PASS, findings, measured=measured)


def _unopened(trouble: Trouble) -> Outcome:
    advice = next(
        (text for start, text in _ADVICE_BY_TROUBLE if trouble.code.startswith(start)), _ADVICE_OTHERWISE
    )
    finding = Finding("入口地址", advice, snippet=shorten(trouble.detail), measured=trouble.code)
    return Outcome(Verdict.FAIL, (finding,), measured=f"打不开：{trouble.detail}")


def _status(entry: Fetch) -> Finding | None:
    if entry.status == 200:
        return None
    return Finding(
        "入口地址",
        "入口地址应直接返回 200。请核对登记的地址有没有写错，或请开发人员查看服务器日志。",
        measured=f"状态码 {entry.status}",
    )


def _type(entry: Fetch) -> Finding | None:
    kind = (entry.header("content-type") or "").split(";")[0].strip().lower()
    if kind == "text/html":
        return None
    return Finding(
        "响应头 Content-Type",
        "入口必须是网页。请让服务器返回 Content-Type: text/html; charset=utf-8,"
        "不要直接给文件下载地址或接口地址。",
        measured=kind or "没有 Content-Type",
    )


def _charset(entry: Fetch) -> Finding | None:
    if entry.charset.lower() not in _UTF8:
        measured = f"编码 {entry.charset}"
    elif _is_garbled(entry.body):
        measured = "声明的是 UTF-8，内容却不是"
    elif entry.charset_source in ("bom", "header") or _declares_utf8(entry.head_bytes):
        return None
    else:
        measured = "前 1024 字节内没有声明编码"
    return Finding(
        "页面头部 <head>",
        '把 <meta charset="utf-8"> 放在 <head> 的第一行，文件也存成 UTF-8，否则部分手机会显示乱码。',
        measured=measured,
    )


def _is_garbled(body: str) -> bool:
    """Say whether so much could not be decoded that the bytes are in another encoding.

    A page in GBK that says UTF-8 loses nearly all its Chinese; a single broken character is no proof.
    """
    lost = body.count(_REPLACEMENT)
    if lost < _LEAST_LOST:
        return False
    return lost > sum(character > "\x7f" for character in body) * _LOST_SHARE


def _declares_utf8(head: str) -> bool:
    match = _META_CHARSET.search(head)
    return match is not None and match.group(1).lower() in _UTF8


def _doctype(entry: Fetch) -> Finding | None:
    if _DOCTYPE.match(entry.body):
        return None
    return Finding(
        "页面第一行",
        "在页面最前面写 <!DOCTYPE html>，否则手机会按旧网页的方式排版。",
        snippet=shorten(entry.body[:120]),
        measured="没有 doctype",
    )


RULE = Rule(
    id="entry-response",
    code="MAS-ENT-01",
    needs=Need.ATTEMPT,
    judge=judge,
    fix="HTTP/1.1 200 OK\nContent-Type: text/html; charset=utf-8\n\n"
    '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">',
)
