from app.core.capability import Capability
from app.identity import people_pages as people_pages  # adds its routes to the blueprint
from app.identity.api import my_api, sign_in_api
from app.identity.authenticator import ResidentAuthenticator
from app.identity.pages import pages

CAPABILITY = Capability(
    "identity",
    api=(sign_in_api, my_api),
    pages=(pages,),
    jobs="app.identity.jobs:JOBS",
    residents=ResidentAuthenticator(),
    mine=(("实名认证", "identity_pages.verify"),),
)
