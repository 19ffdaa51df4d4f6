"""What third-party access holds of a resident: what they agreed to."""

from __future__ import annotations

from app.core import clock
from app.core.own_data import Held
from app.third_parties import service


def held(resident_id: int) -> list[Held]:
    """Return how many consents of a resident are in force."""
    found = service.consents_of(resident_id, now=clock.system_clock())
    count = sum(one.in_force for one in found)
    told = "您同意第三方应用使用"
    return [
        Held("consents", "授权", count=count, source=told, endpoint="third_parties_resident_pages.consents")
    ]
