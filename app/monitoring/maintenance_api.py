"""JSON API of announced maintenance and pauses."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from app.core import access, clock, db
from app.core.access import Permission
from app.core.json_api import Blueprint
from app.monitoring import rules_schemas as schemas
from app.monitoring import service
from app.monitoring.service import Announcement, WindowView

maintenance_api = Blueprint("maintenance", __name__, description="维护公告、暂停监测")


@maintenance_api.route("/maintenance-windows")
class Windows(MethodView):
    @maintenance_api.arguments(schemas.WindowListQuerySchema(), location="query")
    @maintenance_api.response(200, schemas.MaintenanceWindowSchema(many=True))
    @access.staff(Permission.WATCH)
    def get(self, query: dict[str, bool]) -> list[WindowView]:
        """List windows and pauses that concern the caller."""
        return service.window_list(access.current_staff(), over=query["over"], now=clock.system_clock())

    @maintenance_api.arguments(schemas.AnnounceSchema())
    @maintenance_api.response(201, schemas.MaintenanceWindowSchema())
    @access.staff(Permission.WATCH)
    def post(self, sent: dict[str, Any]) -> WindowView:
        """Announce maintenance; never of time that has passed."""
        by, now = access.current_staff(), clock.system_clock()
        return db.transaction(lambda: service.announce(by, Announcement(**sent), now=now))


@maintenance_api.route("/maintenance-windows/<id:window_id>")
class OneWindow(MethodView):
    @maintenance_api.response(200, schemas.MaintenanceWindowSchema())
    @access.staff(Permission.WATCH)
    def get(self, window_id: int) -> WindowView:
        """Tell one window or pause."""
        return service.window(access.current_staff(), window_id, now=clock.system_clock())


@maintenance_api.route("/maintenance-windows/<id:window_id>/end")
class End(MethodView):
    @maintenance_api.arguments(schemas.EndSchema())
    @maintenance_api.response(200, schemas.MaintenanceWindowSchema())
    @access.staff(Permission.WATCH)
    def post(self, sent: dict[str, Any], window_id: int) -> WindowView:
        """End it now or earlier than planned; what has passed stays."""
        by, now = access.current_staff(), clock.system_clock()
        if sent["this_time_only"]:
            return db.transaction(lambda: service.end_this_time(by, window_id, now=now))
        return db.transaction(lambda: service.end_window(by, window_id, sent["at"], now=now))


@maintenance_api.route("/pauses")
class Pauses(MethodView):
    @maintenance_api.arguments(schemas.PauseSchema())
    @maintenance_api.response(201, schemas.MaintenanceWindowSchema())
    @access.staff(Permission.WATCH)
    def post(self, sent: dict[str, Any]) -> WindowView:
        """Set a check aside for a time, with a reason."""
        by, now = access.current_staff(), clock.system_clock()
        return db.transaction(
            lambda: service.pause(by, sent["check_id"], sent["reason"], sent["until"], now=now)
        )
