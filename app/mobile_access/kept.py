"""What the edges hand to judging: the artifact that is kept of a check, and what its page is excused from."""

from __future__ import annotations

from datetime import datetime

from app.core import clock
from app.core.errors import NotFound
from app.core.installation import settings
from app.mobile_access import service
from app.mobile_access.files import artifact_store
from app.mobile_access.waivers import waivers_for
from mobile_pages.artifact import Artifact
from mobile_pages.spec.engine import Waiver


def kept_artifact(digest: str | None) -> Artifact | None:
    """Return what is kept under ``digest``; None when nothing is, or nothing that can be read."""
    try:
        return Artifact.from_json(artifact_store(settings().var_dir).get(digest or "").decode())
    except (NotFound, ValueError):
        return None


def excused(page_id: int, url: str, *, now: datetime) -> list[Waiver]:
    """Return the waivers of a page at ``url``: those of this machine, and those that were given."""
    granted = service.waivers_in_force(page_id, today=clock.day_of(now))
    return [*waivers_for(url, settings(), now.date()), *granted]
