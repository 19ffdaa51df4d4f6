from app.core.capability import Capability
from app.notices import service
from app.notices.api import api
from app.notices.pages import pages

CAPABILITY = Capability(
    "notices",
    api=(api,),
    pages=(pages,),
    jobs="app.notices.jobs:JOBS",
    gauges="app.notices.gauges:collect",
    prepare=service.prepare,
)
