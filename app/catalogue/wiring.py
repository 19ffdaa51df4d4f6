from app.catalogue.api import items_api
from app.catalogue.desk_pages import desk
from app.catalogue.pages import pages
from app.core.capability import Capability

CAPABILITY = Capability("catalogue", api=(items_api,), pages=(pages, desk), jobs="app.catalogue.jobs:JOBS")
