"""entry-response: the registered address opens and answers with a readable HTML page."""

from __future__ import annotations

import re

from mobile_pages.artifact import Artifact, Fetch, Trouble
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Verdict
from mobile_pages.spec.dom import shorten

_DOCTYPE = re.compile(r"\ufeff?(?:\s|<!--.*?-->)*<!doctype\s+html\b", re.I | re.S)
_META_CHARSET = re.compile(r"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.I)
_UTF8 = frozenset({"utf-8", "utf8"})


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    entry = artifact.static.entry
    if entry.trouble is not None:
        return _unopened(entry.trouble)
    findings = tuple(one for one in (_status(entry), _type(entry), _charset(entry), _doctype(entry)) if one)
    measured = f"状态码 {entry.status}"
    return Outcome(Verdict.FAIL if findings else Verdict.PASS, findings, measured=measured)


def _unopened(trouble: Trouble) -> Outcome:
    finding = Finding(
        "入口地址",
        "请在外网用手机流量打开登记的地址试一试:确认域名能解析、服务已启动、不需要专网或 VPN、"
        "没有来回跳转,修好后重新提交检查。",
        snippet=shorten(trouble.detail),
        measured=trouble.code,
    )
    return Outcome(Verdict.FAIL, (finding,), measured=f"打不开({trouble.code})")


def _status(entry: Fetch) -> Finding | None:
    if entry.status == 200:
        return None
    return Finding(
        "入口地址",
        "入口地址应直接返回 200。请核对登记的地址有没有写错,或请开发人员查看服务器日志。",
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
    elif entry.charset_source in ("bom", "header") or _declares_utf8(entry.head_bytes):
        return None
    else:
        measured = "前 1024 字节内没有声明编码"
    return Finding(
        "页面头部 <head>",
        '把 <meta charset="utf-8"> 放在 <head> 的第一行,文件也存成 UTF-8,否则部分手机会显示乱码。',
        measured=measured,
    )


def _declares_utf8(head: str) -> bool:
    match = _META_CHARSET.search(head)
    return match is not None and match.group(1).lower() in _UTF8


def _doctype(entry: Fetch) -> Finding | None:
    if _DOCTYPE.match(entry.body):
        return None
    return Finding(
        "页面第一行",
        "在页面最前面写 <!DOCTYPE html>,否则手机会按旧网页的方式排版。",
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
