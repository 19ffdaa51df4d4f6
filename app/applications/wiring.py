from app.applications.api import applications_api, cases_api, progress_api
from app.applications.desk_pages import desk
from app.applications.pages import pages
from app.core.capability import Capability

CAPABILITY = Capability(
    "applications",
    api=(applications_api, progress_api, cases_api),
    pages=(pages, desk),
    jobs="app.applications.jobs:JOBS",
    open_cases="app.applications.open_cases:open_cases_of",
)
