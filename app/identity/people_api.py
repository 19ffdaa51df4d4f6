"""JSON API of who a resident is: name, face, merged accounts, enterprises, delegations, what is held."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, cast

from flask import Response, url_for
from flask.views import MethodView

from app.core import access, clock, db, idempotency
from app.core.errors import Invalid
from app.core.idempotency import Answer
from app.core.installation import case_paths, held_of, item_names
from app.core.json_api import answered_once
from app.identity import people_schemas as schemas
from app.identity import service
from app.identity.api import my_api
from app.identity.service import (
    NAME_LEVEL,
    DelegationView,
    EnterpriseView,
    FaceTask,
    LinkView,
    Offer,
    Principal,
    SignedIn,
)

_delegation = schemas.DelegationSchema()
_enterprise = schemas.EnterpriseSchema()


def _me() -> SignedIn:
    return cast(SignedIn, access.current_resident())


def _standing() -> dict[str, Any]:
    me = _me()
    session = service.level_of(me.session_id, now=clock.system_clock())
    return {"level": session, "offered": service.is_verifiable(), "person": service.person_of(me.id)}


@my_api.route("/verification")
class Verification(MethodView):
    @my_api.response(200, schemas.VerificationSchema())
    @access.resident()
    def get(self) -> dict[str, Any]:
        """Tell how sure the hall is of who the caller is"""
        return _standing()

    @my_api.arguments(schemas.RealNameSchema())
    @my_api.response(200, schemas.VerificationSchema())
    @my_api.alt_response(429, "TOO_MANY_REQUESTS")
    @access.resident()
    def post(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Prove the caller's real name (level 2) by name and number"""
        by, now = service.provider(), clock.system_clock()
        service.verify_name(_me().id, sent["kind"], sent["number"], sent["name"], by=by, now=now)
        return _standing()


@my_api.route("/verification/faces")
class Faces(MethodView):
    @my_api.response(201, schemas.FaceTaskSchema())
    @my_api.alt_response(429, "TOO_MANY_REQUESTS")
    @access.resident(NAME_LEVEL)
    def post(self) -> FaceTask:
        """Begin a face check (level 3); open its address in a web view"""
        me, now = _me(), clock.system_clock()
        by = service.provider()
        return service.start_face(me.id, me.session_id, return_to="/me", by_code=True, by=by, now=now)


@my_api.route("/verification/faces/<id:check_id>")
class OneFace(MethodView):
    @my_api.arguments(schemas.FaceCodeSchema())
    @my_api.response(200, schemas.VerificationSchema())
    @access.resident(NAME_LEVEL)
    def post(self, sent: dict[str, str], check_id: int) -> dict[str, Any]:
        """End a face check with the six digits that the last page showed"""
        me = _me()
        service.finish_face(me.id, me.session_id, check_id, sent["code"], now=clock.system_clock())
        return _standing()


@my_api.route("/links")
class Links(MethodView):
    @my_api.response(200, schemas.AccountLinkSchema(many=True))
    @access.resident()
    def get(self) -> list[LinkView]:
        """List the caller's other accounts: to be merged, and merged"""
        return service.links(_me().id)


@my_api.route("/links/<id:link_id>/proof")
class LinkProof(MethodView):
    @my_api.response(200, schemas.AccountLinkSchema())
    @access.resident(NAME_LEVEL)
    def post(self, link_id: int) -> LinkView:
        """Agree from this account to merge two; the other account must agree as well"""
        me, now = _me(), clock.system_clock()
        db.transaction(lambda: service.prove_link(me.id, me.level, link_id, now=now))
        return service.link(me.id, link_id)


@my_api.route("/enterprises")
class Enterprises(MethodView):
    @my_api.response(200, schemas.EnterpriseSchema(many=True))
    @access.resident(NAME_LEVEL)
    def get(self) -> list[EnterpriseView]:
        """List the enterprises that the caller represents by law"""
        return service.enterprises_of(_me().id)

    @my_api.arguments(schemas.NewEnterpriseSchema())
    @my_api.response(201, _enterprise)
    @my_api.alt_response(429, "TOO_MANY_REQUESTS")
    @access.resident(NAME_LEVEL)
    def post(self, sent: dict[str, str]) -> EnterpriseView:
        """Prove that the caller represents an enterprise by law"""
        by, now = service.provider(), clock.system_clock()
        made = service.verify_enterprise(_me().id, sent["uscc"], sent["name"], by=by, now=now)
        return service.enterprise(made)


@my_api.route("/principals")
class Principals(MethodView):
    @my_api.response(200, schemas.PrincipalSchema(many=True))
    @access.resident()
    def get(self) -> list[Principal]:
        """List for whom the caller may act today"""
        return service.acting_for(_me().id, on=clock.day_of(clock.system_clock()))


@my_api.route("/delegations")
class Delegations(MethodView):
    @my_api.response(200, schemas.DelegationSchema(many=True))
    @access.resident(NAME_LEVEL)
    def get(self) -> list[DelegationView]:
        """List what the caller gave, was offered, and acts under"""
        return service.delegations(_me().id)

    @my_api.doc(parameters=[idempotency.HEADER])
    @my_api.arguments(schemas.NewDelegationSchema())
    @my_api.response(201, _delegation)
    @access.resident(NAME_LEVEL)
    def post(self, sent: dict[str, Any]) -> Response:
        """Offer somebody the right to act for the caller, or for an enterprise that the caller represents"""
        me, now = _me(), clock.system_clock()
        scope = tuple(sent["scope"])
        if len(item_names("", scope)) != len(set(scope)):
            raise Invalid("授权填写有误", fields={"scope": ["没有这个事项"]})

        def work() -> Answer:
            made = service.give_delegation(me.id, Offer(**{**sent, "scope": scope}), now=now)
            view = service.delegation(me.id, made)
            return Answer(201, json.dumps(_delegation.dump(view), ensure_ascii=False))

        return answered_once(me.actor, "identity.delegate", work)


@my_api.route("/delegations/<id:delegation_id>")
class OneDelegation(MethodView):
    @my_api.response(200, _delegation)
    @access.resident(NAME_LEVEL)
    def get(self, delegation_id: int) -> DelegationView:
        """Get one delegation, from either side"""
        return service.delegation(_me().id, delegation_id)


@my_api.route("/delegations/<id:delegation_id>/accept")
class DelegationAcceptance(MethodView):
    @my_api.response(200, _delegation)
    @access.resident(NAME_LEVEL)
    def post(self, delegation_id: int) -> DelegationView:
        """Take the right that was offered"""
        me, now = _me(), clock.system_clock()
        db.transaction(lambda: service.accept_delegation(me.id, delegation_id, now=now))
        return service.delegation(me.id, delegation_id)


@my_api.route("/delegations/<id:delegation_id>/decline")
class DelegationRefusal(MethodView):
    @my_api.response(204)
    @access.resident(NAME_LEVEL)
    def post(self, delegation_id: int) -> None:
        """Refuse the right that was offered"""
        me, now = _me(), clock.system_clock()
        db.transaction(lambda: service.decline_delegation(me.id, delegation_id, now=now))


@my_api.route("/delegations/<id:delegation_id>/end")
class DelegationEnd(MethodView):
    @my_api.response(204)
    @access.resident()
    def post(self, delegation_id: int) -> None:
        """End a delegation, from either side"""
        me, now = _me(), clock.system_clock()
        db.transaction(lambda: service.end_delegation(me.id, delegation_id, now=now))


@my_api.route("/data")
class MyData(MethodView):
    @my_api.response(200, schemas.MyDataSchema())
    @access.resident()
    def get(self) -> dict[str, Any]:
        """List what the hall holds of the caller, with source and date"""
        me = _me()
        found = [*service.own_facts(me.id, now=clock.system_clock()), *held_of(me.id)]
        return {
            "items": [{**asdict(one), "path": url_for(one.endpoint) if one.endpoint else ""} for one in found]
        }


@my_api.route("/data/uses")
class MyDataUses(MethodView):
    @my_api.arguments(schemas.UseQuerySchema(), location="query")
    @my_api.response(200, schemas.DataUseListSchema())
    @access.resident()
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """List who used the caller's data, for what and for which case, the latest first"""
        me = _me()
        found = service.uses_page(me.id, **query)
        paths = case_paths(me.id, {one.case_number for one in found.items if one.case_number})
        items = [{**asdict(one), "path": paths.get(one.case_number, "")} for one in found.items]
        return {"items": items, "next_cursor": found.next_cursor}
