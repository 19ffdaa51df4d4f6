from app.core.capability import Capability
from app.exchange import service
from app.exchange.api import api

CAPABILITY = Capability(
    "exchange",
    api=(api,),
    jobs="app.exchange.jobs:JOBS",
    hears={"application.changed": "exchange.tell-system", service.PUSHED: "exchange.note-push"},
)
