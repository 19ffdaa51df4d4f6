from app.conversations.callbacks import callbacks
from app.core.capability import Capability

CAPABILITY = Capability("conversations", callbacks=(callbacks,), jobs="app.conversations.jobs:JOBS")
