"""url-encoding: the registered address has no character that some phones cannot send."""

from __future__ import annotations

import re
from urllib.parse import quote

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Verdict
from mobile_pages.spec.dom import shorten

# RFC 3986 §2: reserved, unreserved and percent-encoded characters.
_UNSAFE = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]|%(?![0-9A-Fa-f]{2})", re.ASCII)
_KEPT = "-._~:/?#[]@!$&'()*+,;=%"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    raw = artifact.declaration.url
    unsafe = _UNSAFE.findall(raw)
    if not unsafe:
        return Outcome(Verdict.PASS, measured="0 个")
    shown = "".join(dict.fromkeys(unsafe))
    finding = Finding(
        "登记的入口地址",
        f"把地址里的中文和特殊字符换成百分号编码，例如登记为 {quote(raw, safe=_KEPT)} 。"
        "iPhone 上带中文的地址可能打开后一片空白。",
        snippet=shorten(raw),
        measured=f"{len(unsafe)} 个：{shown}",
        count=len(unsafe),
    )
    return Outcome(Verdict.FAIL, (finding,), measured=f"{len(unsafe)} 个")


RULE = Rule(
    id="url-encoding",
    code="MAS-ENT-06",
    needs=Need.DECLARATION,
    judge=judge,
    fix="https://wsbs.example.gov.cn/m/%E7%A4%BE%E4%BF%9D/index.html",
)
