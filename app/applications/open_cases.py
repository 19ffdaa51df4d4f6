"""What the catalogue asks before it cancels a version: is anybody still waiting for a decision by it."""

from __future__ import annotations

from sqlalchemy import func, select

from app.applications.domain import OPEN
from app.applications.models import Application
from app.core import db


def open_cases_of(version_id: int) -> int:
    """Return how many cases of a version have not ended; drafts are none."""
    query = (
        select(func.count())
        .select_from(Application)
        .where(Application.item_version_id == version_id, Application.state.in_(OPEN))
    )
    return db.session().scalar(query) or 0
