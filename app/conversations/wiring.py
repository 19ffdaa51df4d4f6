from app.conversations.callbacks import callbacks
from app.conversations.pages import pages
from app.core.capability import Capability

CAPABILITY = Capability(
    "conversations", pages=(pages,), callbacks=(callbacks,), jobs="app.conversations.jobs:JOBS"
)
