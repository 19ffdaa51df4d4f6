from app.core.capability import Capability

CAPABILITY = Capability("organisations")
