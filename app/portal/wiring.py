from app.core.capability import Capability
from app.portal.pages import pages

CAPABILITY = Capability("portal", pages=(pages,))
