from app.core.capability import Capability
from app.core.later import LaterGroup
from app.mobile_access.api import BLUEPRINTS
from app.mobile_access.pages import pages
from app.mobile_access.report_pages import reports

CAPABILITY = Capability(
    "mobile_access",
    api=BLUEPRINTS,
    pages=(pages, reports),
    commands=(LaterGroup("pages", "app.mobile_access.cli:pages", help="Mobile pages."),),
    jobs="app.mobile_access.jobs:JOBS",
)
