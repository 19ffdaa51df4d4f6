from app.core.capability import Capability
from app.themes import service
from app.themes.api import my_themes_api, theme_cases_api, theme_versions_api, themes_api
from app.themes.desk_pages import desk
from app.themes.pages import pages

CAPABILITY = Capability(
    "themes",
    api=(themes_api, my_themes_api, theme_versions_api, theme_cases_api),
    pages=(pages, desk),
    jobs="app.themes.jobs:JOBS",
    mine=(("我的一件事", "theme_pages.mine"),),
    hears={
        "application.changed": "themes.follow-case",
        "resident.closed": "themes.forget-resident",
    },
    finds=service.found_by_number,
    held="app.themes.own_data:held",
)
