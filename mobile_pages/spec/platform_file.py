"""The file by which a platform proves that a domain is the department's own."""

from __future__ import annotations

from collections.abc import Iterator

from mobile_pages.artifact import Artifact, Fetch
from mobile_pages.spec.base import Finding, Outcome, Verdict
from mobile_pages.spec.dom import shorten
from mobile_pages.spec.outcomes import decided, not_applicable, not_run


def judge_platform_file(artifact: Artifact, kind: str, platform: str) -> Outcome:
    """Judge the file of the channel ``kind``; ``platform`` is its Chinese name."""
    declaration = artifact.declaration
    if kind not in declaration.channels:
        return not_applicable(f"没有申请上{platform}")
    if kind not in declaration.verify_files:
        reason = f"没有登记{platform}域名校验文件，请确认这个页面是否要在{platform}小程序里打开"
        return Outcome(Verdict.NEEDS_REVIEW, reason=reason)
    name, content = declaration.verify_files[kind]
    fetch = artifact.static.extras.get(f"verify:{kind}")
    if fetch is None:
        return not_run("没有取校验文件")
    return decided(_faults(fetch, name, content, platform), measured=f"状态码 {fetch.status}")


def _faults(fetch: Fetch, name: str, content: str, platform: str) -> Iterator[Finding]:
    where = f"{platform}校验文件 /{name}"
    if fetch.trouble is not None:
        advice = "把平台给的校验文件放到网站根目录，并确认外网能打开。"
        yield Finding(where, advice, snippet=shorten(fetch.trouble.detail), measured=fetch.trouble.code)
    elif fetch.hops:
        advice = "校验文件要直接返回，不能跳转；请在服务器上给它单独配置一条规则。"
        yield Finding(where, advice, snippet=shorten(fetch.hops[0].location), measured="跳转")
    elif fetch.status != 200:
        advice = "把平台给的校验文件原样放到网站根目录，不要改名。"
        yield Finding(where, advice, measured=f"状态码 {fetch.status}")
    elif fetch.body.strip() != content.strip():
        advice = "文件内容必须和平台给的完全一样，请重新下载后原样上传，不要用编辑器改动。"
        yield Finding(where, advice, snippet=shorten(fetch.body), measured="内容与登记值不同")
