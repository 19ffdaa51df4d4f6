from app.core.capability import Capability
from app.portal.api import BLUEPRINTS
from app.portal.pages import pages

CAPABILITY = Capability("portal", api=BLUEPRINTS, pages=(pages,))
