from app.catalogue.api import items_api
from app.catalogue.desk_api import desk_blp
from app.catalogue.desk_pages import desk
from app.catalogue.exchange_pages import files
from app.catalogue.pages import pages
from app.catalogue.scene_console import console
from app.catalogue.scenes_api import SCENE_BLUEPRINTS
from app.core.capability import Capability

CAPABILITY = Capability(
    "catalogue",
    api=(items_api, desk_blp, *SCENE_BLUEPRINTS),
    pages=(pages, desk, files, console),
    jobs="app.catalogue.jobs:JOBS",
    item_names="app.catalogue.naming:item_names",
)
