"""Tables of the portal."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model
from app.core.viewing import Edition, Language


class ResidentSetting(Model):
    """How a resident wants to see pages; None is not chosen, a region of ``""`` is the whole province."""

    __tablename__ = "resident_setting"

    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"), primary_key=True, autoincrement=False)
    language: Mapped[Language | None]
    edition: Mapped[Edition | None]
    region_code: Mapped[str | None] = mapped_column(String(12))
    changed_at: Mapped[datetime]
