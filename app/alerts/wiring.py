from app.alerts.api import api
from app.alerts.pages import pages
from app.core.capability import Capability

CAPABILITY = Capability(
    "alerts",
    api=(api,),
    pages=(pages,),
    jobs="app.alerts.jobs:JOBS",
    gauges="app.alerts.gauges:collect",
    hears={
        "webhook.paused": "alerts.tell-of-paused-webhook",
        "exchange.held": "alerts.tell-of-held-messages",
        "desk.limits-near": "alerts.tell-of-due-cases",
    },
)
