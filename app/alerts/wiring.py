from app.core.capability import Capability

CAPABILITY = Capability("alerts", jobs="app.alerts.jobs:JOBS")
