from app.core.capability import Capability
from app.exchange import service
from app.exchange.api import api
from app.exchange.console_pages import pages
from app.exchange.docs_pages import docs_pages

CAPABILITY = Capability(
    "exchange",
    api=(api,),
    pages=(pages, docs_pages),
    jobs="app.exchange.jobs:JOBS",
    hears={
        "application.changed": "exchange.tell-system",
        "application.forgotten": "exchange.forget-case",
        service.PUSHED: "exchange.note-push",
    },
)
