from app.core.capability import Capability
from app.identity import data_pages as data_pages  # these add their routes to the blueprints
from app.identity import delegation_pages as delegation_pages
from app.identity import people_api as people_api
from app.identity import people_pages as people_pages
from app.identity.api import my_api, sign_in_api
from app.identity.authenticator import ResidentAuthenticator
from app.identity.merging_pages import merging_pages
from app.identity.pages import pages

CAPABILITY = Capability(
    "identity",
    api=(sign_in_api, my_api),
    pages=(pages, merging_pages),
    jobs="app.identity.jobs:JOBS",
    residents=ResidentAuthenticator(),
    mine=(
        ("实名认证", "identity_pages.verify"),
        ("我的企业", "identity_pages.enterprises"),
        ("授权代办", "identity_pages.delegations"),
        ("我的数据", "identity_pages.data"),
    ),
)
