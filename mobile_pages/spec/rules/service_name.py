"""service-name: the registered name is short and the introduction says enough."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from mobile_pages.artifact import Artifact, Declaration
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import shorten
from mobile_pages.spec.outcomes import decided

_LONGEST_NAME = 6
_SHORTEST_TEXT, _LONGEST_TEXT = 20, 200


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    declaration = artifact.declaration
    findings = (*_name(declaration), *_description(declaration))
    measured = f"服务名 {_length(declaration.name)} 字，介绍 {_length(declaration.description)} 字"
    return decided(findings, measured=measured, note="介绍是否写清定位、对象、功能，由审核人员看")


def _length(text: str) -> int:
    return len("".join(unicodedata.normalize("NFKC", text).split()))


def _name(declaration: Declaration) -> Iterator[Finding]:
    length = _length(declaration.name)
    if length == 0:
        yield Finding("登记的服务名", "请填写服务名。", measured="空")
    elif length > _LONGEST_NAME and not declaration.name_reason.strip():
        advice = "服务名最好不超过 6 个字，手机上才显示得全；确需更长的，请在登记表里写明理由。"
        yield Finding("登记的服务名", advice, snippet=shorten(declaration.name), measured=f"{length} 字")


def _description(declaration: Declaration) -> Iterator[Finding]:
    length = _length(declaration.description)
    if not _SHORTEST_TEXT <= length <= _LONGEST_TEXT:
        advice = "介绍写 20 到 200 字，说清楚三件事：这是什么服务、给谁用、能办什么。"
        snippet = shorten(declaration.description)
        yield Finding("登记的服务介绍", advice, snippet=snippet, measured=f"{length} 字")


RULE = Rule(
    id="service-name",
    code="MAS-ENT-04",
    needs=Need.DECLARATION,
    judge=judge,
    fix="服务名：社保查询\n介绍：面向全省参保职工和城乡居民的社会保险查询服务，可查询参保状态、缴费记录和养老待遇。",
)
