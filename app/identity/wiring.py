from app.core.capability import Capability
from app.identity.api import my_api, sign_in_api
from app.identity.authenticator import ResidentAuthenticator
from app.identity.pages import pages

CAPABILITY = Capability(
    "identity",
    api=(sign_in_api, my_api),
    pages=(pages,),
    jobs="app.identity.jobs:JOBS",
    residents=ResidentAuthenticator(),
)
