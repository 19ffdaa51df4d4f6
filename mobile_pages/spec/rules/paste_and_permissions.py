"""paste-and-permissions: residents may paste, and are not asked for anything as the page opens."""

from __future__ import annotations

import re

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule, Severity, Verdict
from mobile_pages.spec.dom import attribute, found, page_of
from mobile_pages.spec.outcomes import decided

_REFUSAL = re.compile(r"return\s+false|preventDefault\s*\(|^\s*false\s*;?\s*$")
_PASTE_SCRIPT = re.compile(
    r"(?:addEventListener|\.on|\.bind)\s*\(\s*[\"']paste[\"'][^;]{0,200}?(?:preventDefault|return\s+false)"
    r"|\.onpaste\s*=[^;]{0,200}?(?:preventDefault|return\s+false|=>\s*false)",
    re.S,
)
_PERMISSION = re.compile(
    r"geolocation\.(?:getCurrentPosition|watchPosition)\s*\(|Notification\.requestPermission\s*\("
    r"|getUserMedia\s*\(|wx\.getLocation\s*\("
)
_PASTE_ADVICE = "删去禁止粘贴的代码：证件号、验证码靠手输容易出错，老人尤其需要粘贴。"
_PERMISSION_ADVICE = "不要一打开页面就索要定位、通知、摄像头权限；等群众点了“附近网点”一类的按钮再问。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    page = page_of(artifact)
    scripts = [(node, node.text(deep=True)) for node in page.css("script")]
    refusing = [node for node in page.css("[onpaste]") if _REFUSAL.search(attribute(node, "onpaste"))]
    asking_at_start = [node for node in page.css("[onload]") if _PERMISSION.search(attribute(node, "onload"))]
    paste = (
        *found(refusing, where="输入框", advice=_PASTE_ADVICE, measured="禁止粘贴"),
        *found(
            [node for node, text in scripts if _PASTE_SCRIPT.search(text)],
            where="页面脚本",
            advice=_PASTE_ADVICE,
            measured="禁止粘贴",
        ),
    )
    start = found(asking_at_start, where="页面打开时", advice=_PERMISSION_ADVICE, measured="索要权限")
    perhaps = found(
        [node for node, text in scripts if _PERMISSION.search(text)],
        where="页面脚本",
        advice=_PERMISSION_ADVICE,
        measured="调用了权限接口",
    )
    return _graded(paste, start, perhaps)


def _graded(paste: tuple[Finding, ...], start: tuple[Finding, ...], perhaps: tuple[Finding, ...]) -> Outcome:
    """Fail gravely on a permission asked at the start, mildly on paste alone.

    Source: access spec MAS-FRM-03, severity should (paste) / must (permissions).
    """
    measured = f"禁止粘贴 {len(paste)} 处，进页索权 {len(start)} 处"
    if paste and not start:
        return Outcome(Verdict.FAIL, paste + perhaps, measured, severity=Severity.SHOULD)
    return decided((*start, *paste), perhaps, measured=measured, reason="请人工确认是不是点了按钮才索要权限")


RULE = Rule(
    id="paste-and-permissions",
    code="MAS-FRM-03",
    needs=Need.STATIC,
    judge=judge,
    fix='<input name="code" inputmode="numeric" autocomplete="one-time-code">  <!-- 不写 onpaste -->\n'
    '<button type="button" id="nearby">附近网点</button>  <!-- 点了再调用定位 -->',
)
