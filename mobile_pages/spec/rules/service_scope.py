"""service-scope: level, region and reach of the registered body fit each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mobile_pages.artifact import Artifact, Declaration, Level
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import shorten
from mobile_pages.spec.outcomes import decided

_LEVEL_NAMES = {Level.PROVINCE: "省级", Level.CITY: "市级", Level.COUNTY: "县级"}
_PROVINCE_CODE = "440000"
# Dongguan and Zhongshan have no counties: their towns are registered under the city's code.
_CITIES_WITHOUT_COUNTIES = frozenset({"441900", "442000"})
_PROVINCIAL_WORDS = re.compile(r"广东省|全省|省级|^省")


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    declaration = artifact.declaration
    findings = (*_level(declaration), *_reach(declaration), *_name(declaration))
    measured = (
        f"{_LEVEL_NAMES[declaration.level]}，区划 {declaration.region_code},"
        f"服务范围 {declaration.service_region_code}"
    )
    return decided(findings, measured=measured)


def _levels_of(code: str) -> frozenset[Level]:
    """Return the levels a region code may stand for; none when it is no code of the province."""
    if re.fullmatch(r"44\d{4}", code, re.ASCII) is None:
        return frozenset()
    if code == _PROVINCE_CODE:
        return frozenset({Level.PROVINCE})
    if code in _CITIES_WITHOUT_COUNTIES:
        return frozenset({Level.CITY, Level.COUNTY})
    return frozenset({Level.CITY if code.endswith("00") else Level.COUNTY})


def _level(declaration: Declaration) -> Iterator[Finding]:
    if declaration.level not in _levels_of(declaration.region_code):
        yield Finding(
            "登记的层级与行政区划",
            "请核对建设单位的层级和行政区划代码：省级填 440000，市级填本市代码，县级填本县（区）代码。",
            snippet=shorten(declaration.body_name),
            measured=f"{_LEVEL_NAMES[declaration.level]}，区划 {declaration.region_code}",
        )


def _reach(declaration: Declaration) -> Iterator[Finding]:
    own, reach = declaration.region_code, declaration.service_region_code
    prefix = own[:2] if own.endswith("0000") else own[:4] if own.endswith("00") else own
    if not _levels_of(reach) or not reach.startswith(prefix):
        yield Finding(
            "登记的服务范围",
            "服务范围不能超出建设单位所在的地区；县级单位的服务不能标成全市或全省。",
            snippet=shorten(declaration.body_name),
            measured=f"区划 {own}，服务范围 {reach}",
        )


def _name(declaration: Declaration) -> Iterator[Finding]:
    if declaration.level is not Level.PROVINCE and _PROVINCIAL_WORDS.search(declaration.name):
        yield Finding(
            "登记的服务名",
            "市、县级服务的名称里不要写“广东省”“全省”，以免群众误以为全省都能办。",
            snippet=shorten(declaration.name),
            measured=_LEVEL_NAMES[declaration.level],
        )


RULE = Rule(
    id="service-scope",
    code="MAS-ENT-05",
    needs=Need.DECLARATION,
    judge=judge,
    fix="建设单位：天河区民政局  层级：县级  行政区划：440106  服务范围：440106",
)
