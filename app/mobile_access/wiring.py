from app.core.capability import Capability
from app.mobile_access.api import BLUEPRINTS
from app.mobile_access.jobs import JOBS

CAPABILITY = Capability("mobile_access", api=BLUEPRINTS, jobs=JOBS)
