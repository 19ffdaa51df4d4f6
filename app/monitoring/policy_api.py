"""JSON API of the rules of operation."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from app.core import access, clock, db
from app.core.access import Permission
from app.core.json_api import Blueprint
from app.monitoring import rules_schemas as schemas
from app.monitoring import service
from app.monitoring.service import DraftView, PolicyPlace, PolicyView

PROVINCE_CODE = "province"
policy_api = Blueprint("watch_policies", __name__, description="运行管理办法：各级规则、版本、变更影响")


@policy_api.get("/watch-policies")
@policy_api.response(200, schemas.PolicyPlaceSchema(many=True))
@access.staff(Permission.WATCH)
def places() -> list[PolicyPlace]:
    """List the province and its cities with the rules that hold there."""
    return service.policy_places(access.current_staff(), now=clock.system_clock())


@policy_api.get("/watch-policies/<code>")
@policy_api.response(200, schemas.PolicySchema(many=True))
@access.staff(Permission.WATCH)
def versions(code: str) -> list[PolicyView]:
    """List all versions of the province's (``province``) or a city's rules, the newest first."""
    return service.policies(city_code(code), now=clock.system_clock())


@policy_api.post("/watch-policies/<code>/drafts")
@policy_api.arguments(schemas.DraftArgsSchema())
@policy_api.response(202, schemas.DraftSchema())
@access.staff(Permission.WATCH)
def propose(sent: dict[str, Any], code: str) -> DraftView:
    """Propose other rules; their effect on last month is reckoned meanwhile."""
    by, now = access.current_staff(), clock.system_clock()
    stated = sent.pop("rules")
    return db.transaction(lambda: service.propose_policy(by, city_code(code), stated, now=now, **sent))


@policy_api.route("/watch-policy-drafts/<id:draft_id>")
class Draft(MethodView):
    @policy_api.response(200, schemas.DraftSchema())
    @access.staff(Permission.WATCH)
    def get(self, draft_id: int) -> DraftView:
        """Tell what is proposed and what it would have done to last month."""
        return service.policy_draft(access.current_staff(), draft_id, now=clock.system_clock())


@policy_api.route("/watch-policy-drafts/<id:draft_id>/confirmation")
class Confirmation(MethodView):
    @policy_api.response(201, schemas.PolicySchema())
    @access.staff(Permission.WATCH)
    def post(self, draft_id: int) -> PolicyView:
        """Make a draft a version, once its effect is reckoned."""
        by, now = access.current_staff(), clock.system_clock()
        return db.transaction(lambda: service.confirm_policy(by, draft_id, now=now))


def city_code(code: str) -> str:
    """Return the code as the service takes it: ``""`` for the province."""
    return "" if code == PROVINCE_CODE else code
