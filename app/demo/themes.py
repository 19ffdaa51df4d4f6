"""Sample themes for a newcomer, and one application for several items that is under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.applications.service import Channel
from app.core.citizen_number import check_character
from app.themes import service as themes

ACTOR = "system:demo"
UNDER_WAY = "ZT001"
PLACE = "440106"
ANSWERS: Mapping[str, Any] = {
    "name": "示例居民",
    "phone": "13800000000",
    "shop": "示例小馆",
    "address": "广州市天河区示例路 1 号",
    "business": "中餐",
    "business_kind": "catering",
    "seats": 24,
    "fund": 50000,
    "form_of_business": "person",
    "copies": 25,
    "delivery": "pick_up",
    "truthful": True,
}
CHOSEN = {"premises": "promise", "rules": "promise", "health": "shared"}


def add_themes(samples: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """Add the sample themes, in force at once; return how many were not there yet."""
    known = {one.code for one in themes.themes()}
    fresh = [one for one in samples if one["code"] not in known]
    for sample in fresh:
        version_id = themes.draft(sample, actor=ACTOR, now=now)
        themes.publish(version_id, version=1, actor=ACTOR, now=now)
    return len(fresh)


def apply(resident_id: int, now: datetime) -> int | None:
    """Let a resident apply for a theme once; return the application's id, None when nothing was made."""
    theme = next((one for one in themes.themes() if one.code == UNDER_WAY), None)
    if theme is None or themes.mine(resident_id).items:
        return None
    made = themes.start(resident_id, theme.id, PLACE, channel=Channel.WECHAT, now=now).id
    first = f"{PLACE}19560229001"
    answers = {**ANSWERS, "id_number": first + check_character(first)}
    saved = themes.save(resident_id, made, answers, materials=CHOSEN, version=1, now=now)
    if not saved.problems:
        themes.submit(resident_id, made, version=saved.version, level=2, now=now)
    return made
