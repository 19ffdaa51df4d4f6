"""security-headers: the answer keeps to HTTPS, cannot be framed, and guards its session cookie."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mobile_pages.artifact import Artifact, Fetch
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import shorten
from mobile_pages.spec.outcomes import decided

_LEAST_AGE_SECONDS = 31_536_000
_MAX_AGE = re.compile(r"(?:^|;)\s*max-age\s*=\s*\"?(\d+)", re.I)
_SESSION_NAME = re.compile(r"sess|sid$|token|auth|ticket|login", re.I)
_COOKIE_FLAGS = ("secure", "httponly", "samesite")


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    entry = artifact.static.entry
    findings = (*_transport(entry), *_framing(entry), *_cookies(entry))
    return decided(findings, measured=f"缺 {len(findings)} 项")


def _transport(entry: Fetch) -> Iterator[Finding]:
    header = entry.header("strict-transport-security") or ""
    match = _MAX_AGE.search(header)
    age = int(match.group(1)) if match else 0
    if age < _LEAST_AGE_SECONDS:
        yield Finding(
            "响应头 Strict-Transport-Security",
            "加上这个响应头，max-age 至少 31536000(一年)，手机以后就只走加密通道。",
            snippet=shorten(header),
            measured=f"max-age={age}" if header else "没有",
        )


def _framing(entry: Fetch) -> Iterator[Finding]:
    policies = [value.lower() for name, value in entry.headers if name == "content-security-policy"]
    options = (entry.header("x-frame-options") or "").strip().lower()
    if any("frame-ancestors" in policy for policy in policies) or options in ("deny", "sameorigin"):
        return
    yield Finding(
        "响应头 Content-Security-Policy",
        "加上 frame-ancestors 'self'(或 X-Frame-Options: SAMEORIGIN)，防止页面被别的网站套住骗点击。",
        snippet=shorten(options),
        measured="没有",
    )


def _cookies(entry: Fetch) -> Iterator[Finding]:
    for name, value in entry.headers:
        if name != "set-cookie":
            continue
        pair, *rest = (part.strip() for part in value.split(";"))
        flags = {part.split("=", 1)[0].strip().lower() for part in rest}
        key = pair.split("=", 1)[0]
        is_session = not flags & {"expires", "max-age"} or _SESSION_NAME.search(key) is not None
        lacking = [flag for flag in _COOKIE_FLAGS if flag not in flags]
        if is_session and lacking:
            yield Finding(
                f"Cookie {shorten(key)}",
                "给会话 Cookie 加上 Secure、HttpOnly、SameSite=Lax 三个属性，防止被窃取。",
                snippet=shorten("; ".join([f"{key}=…", *rest])),
                measured="缺 " + "、".join(lacking),
            )


RULE = Rule(
    id="security-headers",
    code="MAS-TRN-08",
    needs=Need.STATIC,
    judge=judge,
    fix="Strict-Transport-Security: max-age=31536000; includeSubDomains\n"
    "Content-Security-Policy: frame-ancestors 'self'\n"
    "Set-Cookie: sid=…; Path=/; Secure; HttpOnly; SameSite=Lax",
)
