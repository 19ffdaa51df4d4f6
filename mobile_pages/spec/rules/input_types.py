"""input-types: the phone offers the right keyboard for every field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.outcomes import decided, not_applicable
from mobile_pages.spec.rendered import edition, finding, quoted, unopened_edition


@dataclass(frozen=True, slots=True)
class _Meaning:
    label: re.Pattern[str]
    types: frozenset[str]
    modes: frozenset[str]
    advice: str


_MEANINGS = (
    _Meaning(
        re.compile(r"手机|电话|联系方式"),
        frozenset({"tel"}),
        frozenset({"tel", "numeric"}),
        '电话号码用 <input type="tel">，手机会弹出拨号键盘。',
    ),
    _Meaning(
        re.compile(r"邮箱|电子邮件|e-?mail", re.I),
        frozenset({"email"}),
        frozenset({"email"}),
        '邮箱用 <input type="email">。',
    ),
    _Meaning(
        re.compile(r"金额|数量|年龄|验证码|邮政编码|邮编"),
        frozenset({"number", "tel"}),
        frozenset({"numeric", "decimal", "tel"}),
        '纯数字用 <input inputmode="numeric">，手机会弹出数字键盘。',
    ),
)
_ID_CARD = re.compile(r"身份证|证件号")
_ID_ADVICE = '身份证号可能以 X 结尾，不能用 type="number"，改用 type="text"。'
_AUTOCOMPLETE_ADVICE = "autocomplete 只能用标准里的词，例如 name、tel、street-address、off。"
_TYPED = frozenset({"text", "search", "number", "tel", "email", "url", "password"})
# HTML Standard, autofill detail tokens: section, address kind, contact kind, field, webauthn, in this order.
_FIELDS = (
    "name|honorific-prefix|given-name|additional-name|family-name|honorific-suffix|nickname|username"
    "|new-password|current-password|one-time-code|organization-title|organization|street-address"
    "|address-line[123]|address-level[1234]|country|country-name|postal-code|cc-name|cc-given-name"
    "|cc-additional-name|cc-family-name|cc-number|cc-exp|cc-exp-month|cc-exp-year|cc-csc|cc-type"
    "|transaction-currency|transaction-amount|language|bday|bday-day|bday-month|bday-year|sex|url|photo"
)
_CONTACT_FIELDS = (
    "tel|tel-country-code|tel-national|tel-area-code|tel-local|tel-local-prefix|tel-local-suffix"
    "|tel-extension|email|impp"
)
_AUTOCOMPLETE = re.compile(
    rf"on|off|(?:section-\S+ )?(?:(?:shipping|billing) )?"
    rf"(?:(?:{_FIELDS})|(?:(?:home|work|mobile|fax|pager) )?(?:{_CONTACT_FIELDS}))(?: webauthn)?|webauthn",
    re.ASCII,
)


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    rendering = edition(artifact, profile)
    if rendering is None:
        return unopened_edition(artifact, profile)
    fields = [one for one in rendering.metrics["inputs"] if not one["read_only"]]
    if not fields:
        return not_applicable("页面上没有要填的内容")
    faults: list[Finding] = []
    for entry in fields:
        for advice in _advices(entry):
            figure = f"type={entry['type']}" + (f" inputmode={entry['mode']}" if entry["mode"] else "")
            where = quoted(entry["label"] or entry["name"])
            faults.append(finding(entry, rendering, where=where, advice=advice, measured=figure))
    return decided(faults, measured=f"{len(fields)} 个输入项中 {len(faults)} 处不合适")


def _advices(entry: Mapping[str, Any]) -> list[str]:
    advices = []
    label = entry["label"] or entry["name"]
    if entry["type"] in _TYPED:
        if _ID_CARD.search(label) and entry["type"] == "number":
            advices.append(_ID_ADVICE)
        for meaning in _MEANINGS:
            if meaning.label.search(label) and not _suits(entry, meaning):
                advices.append(meaning.advice)
                break
    tokens = " ".join(entry["autocomplete"].lower().split())
    if tokens and _AUTOCOMPLETE.fullmatch(tokens) is None:
        advices.append(_AUTOCOMPLETE_ADVICE)
    return advices


def _suits(entry: Mapping[str, Any], meaning: _Meaning) -> bool:
    return entry["type"] in meaning.types or entry["mode"] in meaning.modes


RULE = Rule(
    id="input-types",
    code="MAS-FRM-02",
    needs=Need.RENDERED,
    judge=judge,
    fix='<label for="tel">手机号</label> <input id="tel" type="tel" autocomplete="tel">',
)
