"""The only public face of monitoring: intake of looks, incidents, uptime, the wall.

Functions that write need a running transaction. Everything read is narrowed to the bodies that the
principal may watch; only ``status`` is for everybody.
"""

from app.monitoring.budget_views import BudgetLine, BudgetPage, budget_page
from app.monitoring.checks import (
    CheckTarget,
    CheckView,
    add_check,
    ask_try,
    change_check,
    checks_of,
    get_check,
    may_change,
    remove_check,
)
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
from app.monitoring.findings import facts_of
from app.monitoring.freshness import terms_now
from app.monitoring.history_models import Scope
from app.monitoring.holds import HoldBook, Notice, current, hold_book, upcoming
from app.monitoring.holds import apply as apply_holds
from app.monitoring.holds import windows as held_windows
from app.monitoring.incident_detail import group_detail, incident_detail
from app.monitoring.incident_moves import acknowledge, acknowledge_group, add_note, assign
from app.monitoring.incidents import By, incidents, statistics
from app.monitoring.intake import Intake, ingest
from app.monitoring.leases import Share, leave, renew, shard_of
from app.monitoring.maintenance import (
    Announcement,
    WindowView,
    announce,
    end_this_time,
    may_announce,
    pause,
    window,
    window_list,
)
from app.monitoring.maintenance import end as end_window
from app.monitoring.monthly import PRINT_JOB as MONTHLY_PRINT_JOB
from app.monitoring.monthly import Figures, ReportView, ask_for_paper, published_months
from app.monitoring.monthly import due_scopes as due_reports
from app.monitoring.monthly import is_rolled_up as month_is_rolled_up
from app.monitoring.monthly import keep_paper as keep_report_paper
from app.monitoring.monthly import preview as preview_month
from app.monitoring.monthly import publish as publish_month
from app.monitoring.monthly import report as monthly_report
from app.monitoring.monthly import scopes as report_scopes
from app.monitoring.monthly import to_print as report_to_print
from app.monitoring.opinions import asked_of
from app.monitoring.page_detail import Besides, CheckLine, PageDetail
from app.monitoring.place_gauges import PlaceGauge, place_gauges
from app.monitoring.policy import (
    Change,
    DraftView,
    PolicyView,
    TermsBook,
    changes_between,
    policies,
    policy_place,
    policy_places,
    rules_before,
    rules_for,
    terms_for,
    terms_of_bodies,
)
from app.monitoring.policy import Place as PolicyPlace
from app.monitoring.policy import confirm as confirm_policy
from app.monitoring.policy import draft as policy_draft
from app.monitoring.policy import propose as propose_policy
from app.monitoring.public import (
    badge,
    counts_of,
    public_incidents,
    public_maintenance,
    published_standing,
    standing,
)
from app.monitoring.reform_orders import PRINT_JOB as ORDER_PRINT_JOB
from app.monitoring.reform_orders import (
    OrderRuns,
    get_order,
    note_printed,
    paper,
    reform_orders,
    to_print,
)
from app.monitoring.reform_orders import answer as answer_order
from app.monitoring.reform_orders import decide as decide_order
from app.monitoring.reform_orders import order as issue_order
from app.monitoring.reform_orders import withdraw as withdraw_order
from app.monitoring.rules import Rules
from app.monitoring.schedule_view import ScheduleNow, schedule_now
from app.monitoring.shapes import (
    Badge,
    BodyWatch,
    CityWatch,
    Counts,
    GroupDetail,
    GroupStanding,
    IncidentDetail,
    IncidentList,
    IncidentView,
    OrderList,
    OrderView,
    PageWatch,
    ProberView,
    PublicIncident,
    PublicNotice,
    SampleView,
    Status,
    Tile,
    Wall,
    WindowFigure,
)
from app.monitoring.strips import (
    HEAT_DAYS,
    LATENCY_DAYS,
    Heat,
    LatencyPoint,
    group_hours,
    heat,
    heat_of,
    latency,
    page_heat,
    sparkline,
)
from app.monitoring.wall import body_watch, city_watch, page_watch, probers, status, uptime_of, wall
from app.monitoring.watching import (
    beat,
    differs,
    take_list,
    void_outage,
    watched_ids,
)
from mobile_pages.probe.base import Condition
from mobile_pages.probe.uptime import OfficialFigure, OfficialVerdict

__all__ = [
    "PlaceGauge",
    "place_gauges",
    "PublicNotice",
    "counts_of",
    "public_maintenance",
    "published_standing",
    "BudgetLine",
    "BudgetPage",
    "budget_page",
    "ScheduleNow",
    "schedule_now",
    "Scope",
    "page_heat",
    "Besides",
    "CheckLine",
    "terms_now",
    "Announcement",
    "Change",
    "DraftView",
    "HoldBook",
    "Notice",
    "PolicyPlace",
    "PolicyView",
    "Rules",
    "TermsBook",
    "WindowView",
    "announce",
    "apply_holds",
    "changes_between",
    "confirm_policy",
    "current",
    "end_this_time",
    "end_window",
    "held_windows",
    "hold_book",
    "may_announce",
    "pause",
    "policies",
    "policy_draft",
    "policy_place",
    "policy_places",
    "propose_policy",
    "rules_before",
    "rules_for",
    "terms_for",
    "terms_of_bodies",
    "upcoming",
    "window",
    "window_list",
    "HEAT_DAYS",
    "LATENCY_DAYS",
    "Heat",
    "LatencyPoint",
    "heat",
    "heat_of",
    "latency",
    "group_hours",
    "sparkline",
    "GroupDetail",
    "IncidentDetail",
    "OrderList",
    "OrderView",
    "CheckTarget",
    "CheckView",
    "add_check",
    "ask_try",
    "change_check",
    "checks_of",
    "facts_of",
    "get_check",
    "may_change",
    "remove_check",
    "ORDER_PRINT_JOB",
    "By",
    "OrderRuns",
    "acknowledge_group",
    "add_note",
    "answer_order",
    "assign",
    "decide_order",
    "get_order",
    "group_detail",
    "incident_detail",
    "issue_order",
    "note_printed",
    "paper",
    "reform_orders",
    "statistics",
    "to_print",
    "withdraw_order",
    "MONTHLY_PRINT_JOB",
    "Figures",
    "ReportView",
    "ask_for_paper",
    "due_reports",
    "month_is_rolled_up",
    "keep_report_paper",
    "preview_month",
    "publish_month",
    "published_months",
    "monthly_report",
    "report_scopes",
    "report_to_print",
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
