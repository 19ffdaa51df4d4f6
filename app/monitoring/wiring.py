from app.core.capability import Capability
from app.core.later import LaterGroup
from app.monitoring.api import api
from app.monitoring.pages import pages
from app.monitoring.status_pages import status_pages
from app.monitoring.tv_pages import tv_pages

COMMANDS = LaterGroup("monitor", "app.monitoring.cli:group", help="Watch the published pages (运行监测).")
CAPABILITY = Capability(
    "monitoring",
    api=(api,),
    pages=(pages, status_pages, tv_pages),
    commands=(COMMANDS,),
    jobs="app.monitoring.jobs:JOBS",
    gauges="app.monitoring.gauges:collect",
    watch="app.monitoring.seen:seen",
)
