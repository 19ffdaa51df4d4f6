from app.channel_accounts.pages import pages
from app.core.capability import Capability

CAPABILITY = Capability("channel_accounts", pages=(pages,))
