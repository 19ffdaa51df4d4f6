from app.applications.api import progress_api
from app.applications.away_pages import away
from app.applications.calendar_pages import calendar
from app.applications.file_pages import desk, pages
from app.applications.files_api import applications_api, cases_api
from app.applications.paper_pages import papers
from app.applications.statistics_pages import statistics
from app.core.capability import Capability
from app.core.later import LaterGroup

CAPABILITY = Capability(
    "applications",
    api=(applications_api, progress_api, cases_api),
    pages=(pages, desk, away, papers, statistics, calendar),
    commands=(
        LaterGroup(
            "calendar", "app.applications.calendar_cli:calendar", help="The working calendar (工作日历)."
        ),
    ),
    jobs="app.applications.jobs:JOBS",
    open_cases="app.applications.open_cases:open_cases_of",
    mine=(("我的办件", "applications_pages.mine"),),
    hears={"resident.closed": "applications.forget-resident"},
    held="app.applications.own_data:held",
    case_paths="app.applications.own_data:case_paths",
)
