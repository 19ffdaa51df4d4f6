from app.core.capability import Capability
from app.core.later import LaterGroup
from app.monitoring import partitions
from app.monitoring.api import api
from app.monitoring.budget_pages import budget_pages
from app.monitoring.chart_pages import chart_pages
from app.monitoring.checks_api import checks_api
from app.monitoring.checks_pages import check_pages
from app.monitoring.incident_api import incident_api
from app.monitoring.incident_pages import incident_pages
from app.monitoring.maintenance_api import maintenance_api
from app.monitoring.maintenance_pages import maintenance_pages
from app.monitoring.monthly_pages import monthly_pages
from app.monitoring.pages import pages
from app.monitoring.policy_api import policy_api
from app.monitoring.policy_pages import policy_pages
from app.monitoring.status_pages import status_pages
from app.monitoring.tv_pages import tv_pages

COMMANDS = LaterGroup("monitor", "app.monitoring.cli:group", help="Watch the published pages (运行监测).")
CAPABILITY = Capability(
    "monitoring",
    api=(api, incident_api, checks_api, policy_api, maintenance_api),
    pages=(
        pages,
        incident_pages,
        status_pages,
        tv_pages,
        monthly_pages,
        chart_pages,
        budget_pages,
        check_pages,
        policy_pages,
        maintenance_pages,
    ),
    commands=(COMMANDS,),
    jobs="app.monitoring.jobs:JOBS",
    gauges="app.monitoring.gauges:collect",
    prepare=partitions.prepare,
    watch="app.monitoring.seen:seen",
)
