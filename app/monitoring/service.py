"""The only public face of monitoring: intake of looks, incidents, uptime, the wall.

Functions that write need a running transaction. Everything read is narrowed to the bodies that the
principal may watch; only ``status`` is for everybody.
"""

from app.monitoring.displays import (
    LIVES_DAYS_MAX,
    DisplayView,
    create_display,
    displays,
    end_display,
    places_of,
    viewer_of,
)
from app.monitoring.domain import (
    CONDITION_LABELS,
    KEEP_SAMPLES,
    OUTCOME_LABELS,
    Outcome,
    Terms,
    cause_label,
    terms,
)
from app.monitoring.incidents import acknowledge, incidents
from app.monitoring.intake import Intake, ingest
from app.monitoring.leases import Share, leave, renew, shard_of
from app.monitoring.opinions import asked_of
from app.monitoring.public import badge, public_incidents, standing
from app.monitoring.shapes import (
    Badge,
    BodyWatch,
    CityWatch,
    Counts,
    GroupStanding,
    IncidentList,
    IncidentView,
    PageDetail,
    PageWatch,
    ProberView,
    PublicIncident,
    SampleView,
    Status,
    Tile,
    Wall,
    WindowFigure,
)
from app.monitoring.wall import body_watch, city_watch, page_watch, probers, status, uptime_of, wall
from app.monitoring.watching import (
    beat,
    differs,
    forget_samples,
    take_list,
    void_outage,
    watched_ids,
)
from mobile_pages.probe.base import Condition
from mobile_pages.probe.uptime import OfficialFigure, OfficialVerdict

__all__ = [
    "asked_of",
    "shard_of",
    "renew",
    "leave",
    "Share",
    "LIVES_DAYS_MAX",
    "DisplayView",
    "create_display",
    "displays",
    "end_display",
    "places_of",
    "viewer_of",
    "Badge",
    "GroupStanding",
    "PublicIncident",
    "badge",
    "probers",
    "public_incidents",
    "standing",
    "CONDITION_LABELS",
    "KEEP_SAMPLES",
    "OUTCOME_LABELS",
    "BodyWatch",
    "CityWatch",
    "Condition",
    "Counts",
    "IncidentList",
    "IncidentView",
    "Intake",
    "OfficialFigure",
    "OfficialVerdict",
    "Outcome",
    "PageDetail",
    "PageWatch",
    "ProberView",
    "SampleView",
    "Status",
    "Terms",
    "Tile",
    "Wall",
    "WindowFigure",
    "acknowledge",
    "beat",
    "body_watch",
    "cause_label",
    "city_watch",
    "differs",
    "forget_samples",
    "incidents",
    "ingest",
    "page_watch",
    "status",
    "take_list",
    "terms",
    "uptime_of",
    "void_outage",
    "wall",
    "watched_ids",
]
