from app.core.capability import Capability
from app.monitoring.api import api
from app.monitoring.cli import group
from app.monitoring.jobs import JOBS
from app.monitoring.pages import pages

CAPABILITY = Capability("monitoring", api=(api,), pages=(pages,), commands=(group,), jobs=JOBS)
