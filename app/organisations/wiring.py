from app.core import db
from app.core.capability import Capability
from app.core.later import LaterGroup
from app.organisations import service
from app.organisations.api import api
from app.organisations.authenticator import StaffAuthenticator
from app.organisations.console_pages import console
from app.organisations.pages import pages
from config import notice


def prepare(progress: service.Progress) -> None:
    tables = notice.load()
    db.transaction(lambda: service.import_notice(tables, progress))


CAPABILITY = Capability(
    "organisations",
    api=(api,),
    pages=(pages, console),
    commands=(LaterGroup("staff", "app.organisations.cli:staff", help="Accounts of staff (人员)."),),
    jobs="app.organisations.jobs:JOBS",
    authenticator=StaffAuthenticator(),
    prepare=prepare,
)
