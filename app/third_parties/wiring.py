from app.core.capability import Capability
from app.third_parties import service
from app.third_parties.api import BLUEPRINTS
from app.third_parties.authenticator import PartnerAuthenticator
from app.third_parties.console_pages import console
from app.third_parties.docs_pages import docs_pages
from app.third_parties.items_api import BLUEPRINTS as ITEMS
from app.third_parties.oidc_pages import oidc_endpoints, oidc_pages
from app.third_parties.resident_pages import resident_pages

CAPABILITY = Capability(
    "third_parties",
    api=(*BLUEPRINTS, *ITEMS),
    pages=(console, resident_pages, docs_pages, oidc_pages),
    callbacks=(oidc_endpoints,),
    jobs="app.third_parties.jobs:JOBS",
    partners=PartnerAuthenticator(),
    held="app.third_parties.own_data:held",
    prepare=service.prepare,
    mine=(("我的授权", "third_parties_resident_pages.consents"),),
    hears={
        "page.published": "third_parties.tell-published",
        "page.suspended": "third_parties.tell-suspended",
        "page.retired": "third_parties.tell-retired",
        "application.changed": "third_parties.tell-application",
        "resident.closed": "third_parties.end-consents",
    },
)
