from app.core.capability import Capability

CAPABILITY = Capability("notices", jobs="app.notices.jobs:JOBS", gauges="app.notices.gauges:collect")
