from app.core.capability import Capability
from app.core.later import LaterGroup
from app.payments.callbacks import callbacks

COMMANDS = LaterGroup(
    "payments", "app.payments.cli:group", help="Look at payments; ask the platform about them."
)
CAPABILITY = Capability(
    "payments", callbacks=(callbacks,), commands=(COMMANDS,), jobs="app.payments.jobs:JOBS"
)
