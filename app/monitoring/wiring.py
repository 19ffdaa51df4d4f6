from app.core.capability import Capability
from app.monitoring.cli import group
from app.monitoring.jobs import JOBS

CAPABILITY = Capability("monitoring", commands=(group,), jobs=JOBS)
