from app.core import clock, db
from app.core.capability import Capability
from app.core.later import LaterGroup
from app.mobile_access import service
from app.mobile_access.api import BLUEPRINTS
from app.mobile_access.pages import pages
from app.mobile_access.report_pages import reports
from app.mobile_access.review_api import REVIEW_BLUEPRINTS
from app.mobile_access.review_pages import reviews
from app.mobile_access.spec_pages import specs
from app.mobile_access.tables_api import tables_blp
from app.mobile_access.tables_pages import tables
from app.mobile_access.waiver_pages import waivers
from app.organisations.service import Progress
from config.access_spec.versions import load_versions


def prepare(progress: Progress) -> None:
    """Bring in the versions of the access spec that come with this release."""
    rows = load_versions()
    db.transaction(lambda: service.import_versions(rows, now=clock.system_clock()))
    progress(len(rows), len(rows))


CAPABILITY = Capability(
    "mobile_access",
    api=(*BLUEPRINTS, *REVIEW_BLUEPRINTS, tables_blp),
    pages=(pages, reports, reviews, specs, tables, waivers),
    commands=(
        LaterGroup("pages", "app.mobile_access.cli:pages", help="Mobile pages."),
        LaterGroup(
            "spec",
            "app.mobile_access.spec_cli:spec",
            help="Versions of the access spec (手机版接入规范).",
        ),
    ),
    jobs="app.mobile_access.jobs:JOBS",
    prepare=prepare,
)
