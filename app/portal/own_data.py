"""What the portal holds of a resident: how they want to see pages."""

from __future__ import annotations

from collections.abc import Iterator

from app.core import db
from app.core.own_data import Held
from app.core.viewing import LANGUAGE_LABELS, Edition
from app.portal.models import ResidentSetting
from app.portal.preferences import place_name

EDITION_LABELS = {Edition.STANDARD: "标准版", Edition.ELDER: "长辈版"}
SETTINGS = "portal_settings_pages.settings"


def held(resident_id: int) -> list[Held]:
    """Return what a resident chose; nothing for who never did."""
    row = db.session().get(ResidentSetting, resident_id)
    return [] if row is None else list(_chosen(row))


def _chosen(row: ResidentSetting) -> Iterator[Held]:
    told, since = "您在设置里选的", row.changed_at
    if row.language:
        words = LANGUAGE_LABELS[row.language]
        yield Held("language", "语言", words, source=told, since=since, endpoint=SETTINGS)
    if row.edition:
        words = EDITION_LABELS[row.edition]
        yield Held("edition", "版本", words, source=told, since=since, endpoint=SETTINGS, spoken=True)
    if row.region_code is not None:
        words = place_name(row.region_code) or "全省"
        yield Held("region", "地区", words, source=told, since=since, endpoint=SETTINGS, spoken=True)
