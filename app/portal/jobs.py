"""Background work of the portal."""

from app.core.outbox import Job
from app.portal import preferences

JOBS = (Job("portal.forget-resident", preferences.forget_resident),)
