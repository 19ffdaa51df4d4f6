"""JSON that pages of departments ask for from their own hosts, and mini programs before they open one."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request
from flask.views import MethodView

from app.core import access, clock, db, limits
from app.core.installation import settings
from app.core.json_api import Blueprint
from app.identity.service import TICKET_LIFE
from app.portal import bridge, schemas
from app.portal.bridge import BridgeConfig

# Wide on purpose: a mobile carrier puts thousands of phones behind one address.
PER_ADDRESS = "600/minute"
PER_PAGE = "6000/minute"

bridge_api = Blueprint("bridge", __name__, url_prefix="/bridge", description="部门网页使用手机功能和单点登录")
tickets_api = Blueprint(
    "sso_tickets", __name__, url_prefix="/my/sso-tickets", description="居民：带着登录打开部门网页"
)
BLUEPRINTS = (bridge_api, tickets_api)


@bridge_api.after_request
def _let_the_page_read(answer: Response) -> Response:
    """Let exactly the page's own host read the answer, also when it is a refusal."""
    origin = g.get("bridge_origin")
    if origin is not None:
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Cache-Control"] = "no-store"
    return answer


@bridge_api.route("/config")
class Config(MethodView):
    @bridge_api.arguments(schemas.BridgeQuerySchema(), location="query")
    @bridge_api.response(200, schemas.BridgeConfigSchema())
    @bridge_api.alt_response(404, "NOT_FOUND")
    @access.public("pages of departments have no token; they learn nothing but what is theirs")
    def get(self, query: dict[str, Any]) -> BridgeConfig:
        """Tell a published page how to use the phone and where to sign in"""
        limits.hit(PER_ADDRESS, "bridge-config", request.remote_addr or "-")
        page = bridge.page_of(query["url"], plain_http=settings().may_reach_loopback)
        g.bridge_origin = page.origin
        limits.hit(PER_PAGE, "bridge-config-page", str(page.id))
        return bridge.config_of(
            page, query["url"], query["client"], settings().base_url, clock.system_clock()
        )


@tickets_api.route("")
class Tickets(MethodView):
    @tickets_api.arguments(schemas.PageToOpenSchema())
    @tickets_api.response(201, schemas.OpenedPageSchema())
    @access.resident()
    def post(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Get the address of a page with a ticket, for a mini program's web view"""
        resident = access.current_resident()
        limits.hit(bridge.TICKETS_PER_RESIDENT, "sso", str(resident.id))
        body_id, target = bridge.way_back(wanted["page_id"], "", plain_http=settings().may_reach_loopback)
        now = clock.system_clock()
        url = db.transaction(lambda: bridge.with_ticket(resident.id, body_id, target, now=now))
        return {"url": url, "expires_in": int(TICKET_LIFE.total_seconds())}
