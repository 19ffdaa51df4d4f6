from app.core.capability import Capability
from app.themes import service

CAPABILITY = Capability(
    "themes",
    jobs="app.themes.jobs:JOBS",
    hears={"application.changed": "themes.follow-case"},
    finds=service.found_by_number,
)
