from app.core.capability import Capability
from app.identity.authenticator import ResidentAuthenticator

CAPABILITY = Capability("identity", jobs="app.identity.jobs:JOBS", residents=ResidentAuthenticator())
