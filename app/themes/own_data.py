"""What themes hold of a resident."""

from __future__ import annotations

from sqlalchemy import func, select

from app.core import db
from app.core.own_data import Held
from app.identity import service as identity
from app.themes.models import ThemeApplication


def held(resident_id: int) -> list[Held]:
    """Return how many applications of themes there are of a resident, merged accounts included."""
    own = ThemeApplication.resident_id.in_(identity.accounts_of(resident_id))
    found = db.session().scalars(select(func.count()).where(own)).one()
    return [Held("theme_applications", "一件事申请", count=found, endpoint="theme_pages.mine")]
