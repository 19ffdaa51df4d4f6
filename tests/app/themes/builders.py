"""Themes over small items, and applications for them, made by the same steps that people take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.applications import service as applications
from app.applications.service import CaseLine, Channel, Event
from app.core import db
from app.themes import running, service
from app.themes.models import ThemeApplication, ThemePart
from tests.app.applications import builders as cases
from tests.app.catalogue.builders import an_item, valid_id_number
from tests.builders import NOW

PROVINCE = "440000"
NAME = {"type": "string", "minLength": 2, "maxLength": 40, "x-personal": "name"}
ID_NUMBER = {"type": "string", "maxLength": 24, "format": "cn-id-number", "x-personal": "id_number"}
SHOP = {"type": "string", "maxLength": 30}
KIND = {"type": "string", "oneOf": [{"const": "meal", "title": "餐饮"}, {"const": "shop", "title": "零售"}]}
SEATS = {"type": "integer", "minimum": 1, "maximum": 500}
LICENCE = {"type": "string", "maxLength": 30}
CARD = {"code": "m1", "name": "身份证", "handings": ["shared", "paper"]}
SITE = {"code": "m2", "name": "场所证明", "handings": ["paper", "promise"]}
LICENCE_COPY = {"code": "m9", "name": "营业执照", "handings": ["shared", "paper"]}
TOGETHER = {"case_type": "2", "promised_days": 5, "lawful_days": 20}


def a_form(**fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form of these fields, all but ``licence`` and ``seats`` required."""
    words = {name: {"label": name} for name in fields}
    if "seats" in fields:
        words["seats"]["visible_if"] = {"===": [{"var": "kind"}, "meal"]}
    return {
        "schema": {
            "type": "object",
            "additionalProperties": False,
            "required": [name for name in fields if name != "seats"],
            "properties": fields,
        },
        "sections": [{"title": "内容", "fields": list(fields)}],
        "fields": words,
    }


FORMS = {
    "GS": a_form(name=NAME, id_number=ID_NUMBER, shop=SHOP, kind=KIND),
    "SP": a_form(
        applicant=NAME, shop_name={**SHOP, "maxLength": 20}, kind=KIND, seats=SEATS, licence=LICENCE
    ),
    "SW": a_form(name=NAME, shop=SHOP, tax_kind=KIND),
}
MATERIALS = {"GS": [CARD, SITE], "SP": [{**CARD, "handings": ["shared"]}, LICENCE_COPY], "SW": [CARD]}
NAMES = {"GS": "个体工商户登记", "SP": "食品经营许可", "SW": "税务登记"}

DEFINITION: Mapping[str, Any] = {
    "code": "SHOP",
    "name": "开餐饮店一件事",
    "summary": "一次申请，办齐开店的手续",
    "joint": True,
    "sample": True,
    "items": [
        {"code": "GS", "scheme": "test"},
        {"code": "SP", "scheme": "test"},
        {"code": "SW", "scheme": "test", "optional": True},
    ],
    "relations": [
        {"kind": "prerequisite", "item": "GS", "other": "SP"},
        {"kind": "result_feeds", "item": "GS", "other": "SP", "field": "licence", "material": "m9"},
        {"kind": "parallel", "item": "GS", "other": "SW"},
    ],
    "sections": [
        {
            "title": "申请人",
            "questions": [
                {"name": "name", "label": "姓名", "uses": {"GS": "name", "SP": "applicant", "SW": "name"}},
                "id_number",
            ],
        },
        {
            "title": "店铺",
            "questions": [
                {"name": "shop", "label": "店名", "uses": {"GS": "shop", "SP": "shop_name", "SW": "shop"}},
                "kind",
                "seats",
                "tax_kind",
            ],
        },
    ],
    "materials": [{"code": "card", "name": "身份证", "uses": {"GS": "m1", "SP": "m1", "SW": "m1"}}],
}


def the_items(
    codes: tuple[str, ...] = ("GS", "SP", "SW"), body: str = "公安厅", region: str = PROVINCE
) -> dict[str, int]:
    """Return the ids of the items as one body carries them out."""
    return {
        code: an_item(
            body,
            region,
            code=code,
            name=NAMES[code],
            form=FORMS[code],
            materials=MATERIALS[code],
            **TOGETHER,
        )
        for code in codes
    }


def a_theme(**changed: Any) -> int:
    """Return the id of a theme in force; its items must be there."""
    version_id = service.draft({**DEFINITION, **changed}, actor="system", now=NOW)
    service.publish(version_id, version=1, actor="system", now=NOW)
    return service.version_of(version_id).theme_id


def good_answers(**changed: Any) -> dict[str, Any]:
    """Return answers that fit the merged form; None leaves one out."""
    answers = {
        "name": "测试一",
        "id_number": valid_id_number(),
        "shop": "示例小馆",
        "kind": "meal",
        "seats": 20,
        "tax_kind": "shop",
        **changed,
    }
    return {name: value for name, value in answers.items() if value is not None}


def a_draft(
    theme_id: int | None = None, resident_id: int | None = None, region: str | None = None, **answers: Any
) -> int:
    """Return the id of a draft that may be submitted."""
    if theme_id is None:
        the_items()
        theme_id = a_theme()
    resident_id = resident_id or cases.a_resident()
    started = service.start(resident_id, theme_id, region, channel=Channel.WECHAT, now=NOW)
    saved = service.save(
        resident_id,
        started.id,
        good_answers(**answers),
        materials={"m2": "promise"},
        version=row_of(started.id).version,
        now=NOW,
    )
    assert saved.problems == {} or answers, saved.problems
    return started.id


def an_application(theme_id: int | None = None, resident_id: int | None = None) -> int:
    """Return the id of a theme application that was submitted."""
    made = a_draft(theme_id, resident_id)
    row = row_of(made)
    service.submit(row.resident_id, made, version=row.version, level=1, now=NOW)
    return made


def row_of(theme_application_id: int) -> ThemeApplication:
    return db.session().get_one(ThemeApplication, theme_application_id)


def part_of(theme_application_id: int, item: str) -> ThemePart:
    query = select(ThemePart).where(
        ThemePart.theme_application_id == theme_application_id, ThemePart.item == item
    )
    return db.session().scalars(query).one()


def case_of(theme_application_id: int, item: str) -> int:
    """Return the id of the sub-case of an item."""
    found = part_of(theme_application_id, item).application_id
    assert found is not None
    return found


def grant(application_id: int, **words: Any) -> None:
    """Take a case through all its steps to a granted result."""
    for event in (Event.ACCEPT, Event.BEGIN, Event.DECIDE):
        cases.take_step(application_id, event)
    cases.take_step(application_id, Event.COMPLETE, result={"name": "执照", "number": "L-1", **words})


def refuse(application_id: int) -> None:
    """Refuse to take a case in."""
    cases.take_step(application_id, Event.REFUSE)


def statuses_of(theme_application_id: int) -> dict[str, str]:
    parts = running.parts_of(theme_application_id)
    return {item: part.status.value for item, part in parts.items()}


def cases_of(resident_id: int) -> list[CaseLine]:
    """Return the single cases of somebody."""
    return applications.mine(resident_id).items
