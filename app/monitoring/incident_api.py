"""JSON API of incidents, groups and reform orders."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response
from flask.views import MethodView

from app.core import access, clock, db
from app.core.access import Permission
from app.core.json_api import Blueprint
from app.monitoring import incident_schemas as schemas
from app.monitoring import service
from app.monitoring.incidents import in_scope
from app.monitoring.schemas import IncidentSchema
from app.monitoring.service import GroupDetail, IncidentDetail, IncidentView, OrderList, OrderView

incident_api = Blueprint("incidents", __name__, description="事件：经过、签收、指派、同组故障、整改通知")


@incident_api.route("/incidents/<id:incident_id>")
class Incident(MethodView):
    @incident_api.response(200, schemas.IncidentDetailSchema())
    @access.staff(Permission.WATCH)
    def get(self, incident_id: int) -> IncidentDetail:
        """Tell all about one incident: timeline, probable cause, evidence."""
        return service.incident_detail(access.current_staff(), incident_id, now=clock.system_clock())


@incident_api.route("/incidents/<id:incident_id>/acknowledgement")
class Acknowledgement(MethodView):
    @incident_api.arguments(schemas.AcknowledgeSchema())
    @incident_api.response(200, IncidentSchema())
    @access.staff(Permission.WATCH)
    def put(self, sent: dict[str, str], incident_id: int) -> IncidentView:
        """Say that somebody deals with an incident; the first to say so is kept."""
        by, now = access.current_staff(), clock.system_clock()
        return db.transaction(lambda: service.acknowledge(by, incident_id, note=sent["note"], now=now))


@incident_api.route("/incidents/<id:incident_id>/notes")
class Notes(MethodView):
    @incident_api.arguments(schemas.NoteSchema())
    @incident_api.response(201, IncidentSchema())
    @access.staff(Permission.WATCH)
    def post(self, sent: dict[str, str], incident_id: int) -> IncidentView:
        """Add a line to the timeline."""
        by, now = access.current_staff(), clock.system_clock()
        return db.transaction(lambda: service.add_note(by, incident_id, sent["text"], now=now))


@incident_api.route("/incidents/<id:incident_id>/assignee")
class Assignee(MethodView):
    @incident_api.arguments(schemas.AssigneeSchema())
    @incident_api.response(200, IncidentSchema())
    @access.staff(Permission.WATCH)
    def put(self, sent: dict[str, Any], incident_id: int) -> IncidentView:
        """Name the person who is to deal with an incident."""
        by, now = access.current_staff(), clock.system_clock()
        return db.transaction(lambda: service.assign(by, incident_id, sent["staff_id"], now=now))


@incident_api.route("/incidents/<id:incident_id>/reform-orders")
class IncidentOrders(MethodView):
    @incident_api.arguments(schemas.NewOrderSchema())
    @incident_api.response(201, schemas.OrderSchema())
    @access.staff(Permission.PAGES_REVIEW)
    def post(self, sent: dict[str, Any], incident_id: int) -> OrderView:
        """Issue a reform order about an incident."""
        by, now = access.current_staff(), clock.system_clock()
        return db.transaction(lambda: service.issue_order(by, incident_id, now=now, **sent))


@incident_api.route("/incident-groups/<id:group_id>")
class Group(MethodView):
    @incident_api.arguments(schemas.GroupQuerySchema(), location="query")
    @incident_api.response(200, schemas.GroupDetailSchema())
    @access.staff(Permission.WATCH)
    def get(self, query: dict[str, int], group_id: int) -> GroupDetail:
        """Tell which incidents failed together; those of others are only counted."""
        return service.group_detail(access.current_staff(), group_id, **query)


@incident_api.route("/incident-statistics")
class Statistics(MethodView):
    @incident_api.arguments(schemas.StatisticsQuerySchema(), location="query")
    @incident_api.response(200, schemas.StatisticsSchema())
    @access.staff(Permission.WATCH)
    def get(self, query: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """Count incidents and their minutes by city, body or phase."""
        found = service.statistics(
            query["start"], query["end"], query["by"], in_scope(access.current_staff())
        )
        return {"items": [{"key": key, **asdict(figures)} for key, figures in found.items()]}


@incident_api.route("/reform-orders")
class Orders(MethodView):
    @incident_api.arguments(schemas.OrderQuerySchema(), location="query")
    @incident_api.response(200, schemas.OrderListSchema())
    @access.staff(Permission.WATCH)
    def get(self, query: dict[str, Any]) -> OrderList:
        """List reform orders, newest first."""
        return service.reform_orders(access.current_staff(), **query)


@incident_api.route("/reform-orders/<id:order_id>")
class Order(MethodView):
    @incident_api.response(200, schemas.OrderSchema())
    @access.staff(Permission.WATCH)
    def get(self, order_id: int) -> OrderView:
        """Tell how far a reform order has come."""
        return service.get_order(access.current_staff(), order_id)


@incident_api.route("/reform-orders/<id:order_id>/answer")
class OrderAnswer(MethodView):
    @incident_api.arguments(schemas.AnswerSchema())
    @incident_api.response(200, schemas.OrderSchema())
    @access.staff(Permission.PAGES_REGISTER)
    def post(self, sent: dict[str, Any], order_id: int) -> OrderView:
        """Say what was done about an order."""
        by, now = access.current_staff(), clock.system_clock()
        return db.transaction(lambda: service.answer_order(by, order_id, now=now, **sent))


@incident_api.route("/reform-orders/<id:order_id>/decision")
class OrderDecision(MethodView):
    @incident_api.arguments(schemas.DecisionSchema())
    @incident_api.response(200, schemas.OrderSchema())
    @access.staff(Permission.PAGES_REVIEW)
    def post(self, sent: dict[str, Any], order_id: int) -> OrderView:
        """Accept what was done, or send it back."""
        by, now = access.current_staff(), clock.system_clock()
        return db.transaction(lambda: service.decide_order(by, order_id, now=now, **sent))


@incident_api.route("/reform-orders/<id:order_id>/withdrawal")
class OrderWithdrawal(MethodView):
    @incident_api.arguments(schemas.WithdrawalSchema())
    @incident_api.response(200, schemas.OrderSchema())
    @access.staff(Permission.PAGES_REVIEW)
    def post(self, sent: dict[str, Any], order_id: int) -> OrderView:
        """Take an order back that should not have been issued."""
        by, now = access.current_staff(), clock.system_clock()
        return db.transaction(lambda: service.withdraw_order(by, order_id, now=now, **sent))


@incident_api.route("/reform-orders/<id:order_id>/paper")
class OrderPaper(MethodView):
    @incident_api.response(200, content_type="application/pdf")
    @access.staff(Permission.WATCH)
    def get(self, order_id: int) -> Response:
        """Get the order as PDF."""
        return Response(service.paper(access.current_staff(), order_id), content_type="application/pdf")
