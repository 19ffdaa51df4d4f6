from app.core.capability import Capability
from app.monitoring.jobs import JOBS

CAPABILITY = Capability("monitoring", jobs=JOBS)
