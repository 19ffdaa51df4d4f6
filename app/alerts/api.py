"""JSON API of alerts: own settings and messages for everybody, endpoints and proofs for who watches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask.views import MethodView

from app.alerts import schemas, service
from app.alerts.service import DeliveryList, EndpointView, MessageView, NewEndpoint, SettingsView
from app.core import access, clock, db
from app.core.access import Permission
from app.core.installation import settings
from app.core.json_api import Blueprint
from app.mobile_access import service as mobile_access

api = Blueprint(
    "alerts", __name__, url_prefix="/alerts", description="告警：接收方式、消息、送达凭证、Webhook"
)


@api.route("/settings")
class Settings(MethodView):
    @api.response(200, schemas.SettingsSchema())
    @access.staff()
    def get(self) -> SettingsView:
        """Get the caller's own settings"""
        return service.settings_of(access.current_staff().staff_id)

    @api.arguments(schemas.SettingsSchema())
    @api.response(200, schemas.SettingsSchema())
    @access.staff()
    @db.transactional
    def put(self, new: dict[str, Any]) -> SettingsView:
        """Replace the caller's own settings"""
        staff_id, now = access.current_staff().staff_id, clock.system_clock()
        return service.change_settings(staff_id, new["wanted"], version=new["version"], now=now)


@api.route("/bindings")
class Bindings(MethodView):
    @api.response(200, schemas.BindingSchema(many=True))
    @access.staff()
    def get(self) -> list[service.BindingView]:
        """List the caller's bound accounts"""
        return service.bindings_of(access.current_staff().staff_id)


@api.route("/bindings/<id:binding_id>")
class Binding(MethodView):
    @api.response(204)
    @access.staff()
    @db.transactional
    def delete(self, binding_id: int) -> None:
        """End a binding of the caller"""
        service.unbind(access.current_staff().staff_id, binding_id)


@api.route("/binding-codes")
class BindingCodes(MethodView):
    @api.arguments(schemas.NewCodeSchema())
    @api.response(201, schemas.CodeSchema())
    @access.staff()
    @db.transactional
    def post(self, new: dict[str, Any]) -> dict[str, str]:
        """Get a new code to bind with; an earlier one stops working"""
        life = timedelta(minutes=new["valid_minutes"])
        return {
            "code": service.new_code(access.current_staff().staff_id, now=clock.system_clock(), life=life)
        }


@api.route("/test-messages")
class TestMessages(MethodView):
    @api.arguments(schemas.NewTestSchema())
    @api.response(202, schemas.TestSentSchema())
    @access.staff()
    @db.transactional
    def post(self, new: dict[str, Any]) -> dict[str, int]:
        """Send a test on every way of the caller, or to an endpoint"""
        by, now = access.current_staff(), clock.system_clock()
        return {"message_id": service.send_test(by, endpoint_id=new["endpoint_id"], now=now)}


@api.route("/messages")
class Messages(MethodView):
    @api.response(200, schemas.MessageSchema(many=True))
    @access.staff()
    def get(self) -> list[MessageView]:
        """List the last messages to the caller, newest first"""
        return service.own_messages(access.current_staff())


@api.route("/messages/<id:message_id>")
class Message(MethodView):
    @api.response(200, schemas.MessageSchema())
    @access.staff()
    def get(self, message_id: int) -> MessageView:
        """Get a message with its proofs of delivery"""
        return service.get_message(access.current_staff(), message_id)


@api.route("/deliveries")
class Deliveries(MethodView):
    @api.arguments(schemas.DeliveryQuerySchema(), location="query")
    @api.response(200, schemas.DeliveryListSchema())
    @access.staff(Permission.WATCH)
    def get(self, query: dict[str, Any]) -> DeliveryList:
        """List proofs of delivery in the caller's scope, newest first"""
        return service.deliveries(access.current_staff(), **query)


@api.route("/endpoints")
class Endpoints(MethodView):
    @api.response(200, schemas.EndpointSchema(many=True))
    @access.staff(Permission.WATCH)
    def get(self) -> list[EndpointView]:
        """List the endpoints in the caller's scope"""
        return service.endpoints(access.current_staff())

    @api.arguments(schemas.NewEndpointSchema())
    @api.response(201, schemas.EndpointMadeSchema())
    @access.staff(Permission.WATCH)
    def post(self, new: NewEndpoint) -> dict[str, Any]:
        """Set up an endpoint; its secret is shown only now"""
        by = access.current_staff()
        wanted = service.vetted_endpoint(new, mobile_access.outbound_guard(settings()))
        made, secret = db.transaction(lambda: service.add_endpoint(by, wanted, now=clock.system_clock()))
        return {"endpoint": made, "secret": secret}


@api.route("/endpoints/<id:endpoint_id>")
class Endpoint(MethodView):
    @api.response(200, schemas.EndpointSchema())
    @access.staff(Permission.WATCH)
    def get(self, endpoint_id: int) -> EndpointView:
        """Get an endpoint"""
        return service.get_endpoint(access.current_staff(), endpoint_id)

    @api.arguments(schemas.EndpointChangeSchema())
    @api.response(200, schemas.EndpointSchema())
    @access.staff(Permission.WATCH)
    @db.transactional
    def put(self, new: dict[str, Any], endpoint_id: int) -> EndpointView:
        """Rename an endpoint, switch it on or off, change what it gets"""
        return service.change_endpoint(access.current_staff(), endpoint_id, **new)

    @api.response(204)
    @access.staff(Permission.WATCH)
    @db.transactional
    def delete(self, endpoint_id: int) -> None:
        """Take an endpoint away for good"""
        service.remove_endpoint(access.current_staff(), endpoint_id, now=clock.system_clock())
