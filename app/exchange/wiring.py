from app.core.capability import Capability
from app.exchange import service as service

CAPABILITY = Capability(
    "exchange",
    jobs="app.exchange.jobs:JOBS",
    hears={"application.changed": "exchange.tell-system", service.PUSHED: "exchange.note-push"},
)
