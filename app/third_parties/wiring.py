import app.third_parties.models  # noqa: F401  its tables belong to the hall's
from app.core.capability import Capability

CAPABILITY = Capability("third_parties")
