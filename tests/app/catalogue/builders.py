"""Items with working defaults: name only what the test is about."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from app.catalogue import service as catalogue
from app.catalogue.service import Content, Domain, ItemType, VersionEvent
from app.core.citizen_number import check_character
from app.core.clock import day_of
from tests.builders import NOW, a_body

FORM: Mapping[str, Any] = {
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "id_number", "since", "ground", "employer", "truthful"],
        "properties": {
            "name": {"type": "string", "minLength": 2, "maxLength": 40, "x-personal": "name"},
            "id_number": {
                "type": "string",
                "maxLength": 24,
                "format": "cn-id-number",
                "x-personal": "id_number",
            },
            "phone": {"type": "string", "maxLength": 20, "format": "cn-mobile", "x-personal": "phone"},
            "since": {"type": "string", "format": "date", "x-not-after": "today"},
            "ground": {
                "type": "string",
                "oneOf": [{"const": "work", "title": "就业"}, {"const": "home", "title": "住所"}],
            },
            "employer": {"type": "string", "maxLength": 30},
            "rooms": {"type": "integer", "minimum": 1, "maximum": 20},
            "truthful": {"type": "boolean", "const": True},
        },
    },
    "sections": [
        {"title": "申请人", "fields": ["name", "id_number", "phone"]},
        {"title": "情况", "fields": ["since", "ground", "employer", "rooms", "truthful"]},
    ],
    "fields": {
        "name": {"label": "姓名"},
        "id_number": {"label": "身份证号码"},
        "phone": {"label": "手机号码"},
        "since": {"label": "从哪天起", "widget": "date"},
        "ground": {"label": "理由", "widget": "choice"},
        "employer": {"label": "单位", "visible_if": {"===": [{"var": "ground"}, "work"]}},
        "rooms": {"label": "房间数", "visible_if": {"===": [{"var": "ground"}, "home"]}, "widget": "number"},
        "truthful": {"label": "内容属实", "widget": "yes"},
    },
}


def an_id_number(region: str = "990001", born: str = "19560229", order: str = "001") -> str:
    """Return a number with the right check character; 99 is a province that does not exist."""
    first = f"{region}{born}{order}"
    return first + check_character(first)


def valid_id_number() -> str:
    """Return a number that passes, of a county (445399) that was never assigned."""
    return an_id_number("445399")


def good_answers(**changed: Any) -> dict[str, Any]:
    """Return answers that fit ``FORM``; None leaves one out."""
    answers = {
        "name": "测试一",
        "id_number": valid_id_number(),
        "since": "2015-08-01",
        "ground": "work",
        "employer": "示例工厂",
        "truthful": True,
        **changed,
    }
    return {name: value for name, value in answers.items() if value is not None}


def a_content(**changed: Any) -> Content:
    """Return content that passes every standard check."""
    return catalogue.from_json(
        {
            "name": "居住证申领",
            "summary": "外来人员申领居住证",
            "served": ["1"],
            "case_type": "2",
            "promised_days": 8,
            "lawful_days": 15,
            "conditions": ["居住半年以上"],
            "materials": [
                {"code": "m1", "name": "身份证", "handings": ["shared"]},
                {"code": "m2", "name": "住所证明", "handings": ["paper", "promise"]},
            ],
            "steps": [],
            "results": [{"name": "居住证"}],
            "deliveries": ["pick_up", "post"],
            "hotline": "12345",
            "complaint_line": "12345",
            "places": [],
            "online": True,
            "full_process": True,
            "visits": 0,
            "pauses": ["实地核查"],
            "synonyms": ["暂住证"],
            **changed,
        }
    )


def a_directory(
    code: str = "T001", name: str = "居住证申领", domain: str = "household", now: datetime = NOW
) -> int:
    """Return the id of an item of the directory; made once per code."""
    found = catalogue.find_directory("test", code)
    return found or catalogue.add_directory(
        code=code,
        code_scheme="test",
        name=name,
        item_type=ItemType.OTHER_POWER,
        domain=Domain(domain),
        legal_basis=[{"name": "居住证暂行条例", "number": "国务院令第663号"}],
        sample=True,
        actor="system",
        now=now,
    )


def an_implementation(
    body_name: str = "公安厅", region_code: str = "440000", directory_id: int | None = None
) -> int:
    """Return the id of a new implementation."""
    body = a_body(body_name, region_code)
    return catalogue.add_implementation(
        directory_id or a_directory(),
        body_id=body.id,
        region_code=region_code,
        code=secrets.token_hex(6),
        code_scheme="test",
        actor="system",
        now=NOW,
    )


def a_version(
    implementation_id: int,
    *,
    form: Mapping[str, Any] | None = FORM,
    effective_on: date | None = None,
    until: VersionEvent | None = VersionEvent.EFFECTIVE_DATE,
    now: datetime = NOW,
    **content: Any,
) -> int:
    """Return the id of a version that has come as far as ``until``; None is a draft."""
    version_id = catalogue.draft_version(
        implementation_id,
        a_content(online=form is not None, **content),
        form,
        effective_on=effective_on or day_of(now),
        actor="system",
        now=now,
    )
    way = [VersionEvent.SUBMIT, VersionEvent.FILE, VersionEvent.EFFECTIVE_DATE]
    for event in way[: way.index(until) + 1] if until else ():
        catalogue.move_version(version_id, event, actor="system", now=now)
    return version_id


def an_item(
    body_name: str = "公安厅",
    region_code: str = "440000",
    *,
    code: str = "T001",
    name: str = "居住证申领",
    domain: str = "household",
    form: Mapping[str, Any] | None = FORM,
    **content: Any,
) -> int:
    """Return the id of an item in force as one body carries it out."""
    directory_id = a_directory(code, name, domain)
    implementation_id = an_implementation(body_name, region_code, directory_id)
    a_version(implementation_id, form=form, name=name, **content)
    return implementation_id
