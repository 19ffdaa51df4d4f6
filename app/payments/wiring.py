from app.core.capability import Capability
from app.payments.callbacks import callbacks

CAPABILITY = Capability("payments", callbacks=(callbacks,), jobs="app.payments.jobs:JOBS")
