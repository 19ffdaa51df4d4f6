from app.core.capability import Capability
from app.mobile_access.api import BLUEPRINTS
from app.mobile_access.pages import pages
from app.mobile_access.report_pages import reports

CAPABILITY = Capability(
    "mobile_access", api=BLUEPRINTS, pages=(pages, reports), jobs="app.mobile_access.jobs:JOBS"
)
