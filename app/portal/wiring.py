from app.core.capability import Capability
from app.portal.api import BLUEPRINTS
from app.portal.pages import pages
from app.portal.settings_pages import settings_pages

CAPABILITY = Capability(
    "portal",
    api=BLUEPRINTS,
    pages=(pages, settings_pages),
    jobs="app.portal.jobs:JOBS",
    mine=(("设置", "portal_settings_pages.settings"),),
    hears={"resident.closed": "portal.forget-resident"},
    choices="app.portal.preferences:choice_of",
    held="app.portal.own_data:held",
)
