"""JSON API of a resident's messages and of how they want to be told; the same for all mini programs."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from app.core import access, clock, db
from app.core.json_api import Blueprint
from app.notices import schemas, service
from app.notices.service import MessagePage, MessageView, Settings, Subscription
from channels.base import Consent

api = Blueprint("notices", __name__, url_prefix="/my", description="居民：我的消息、通知设置")


@api.route("/messages")
class MyMessages(MethodView):
    @api.arguments(schemas.NoticeQuerySchema(), location="query")
    @api.response(200, schemas.NoticePageSchema())
    @access.resident()
    def get(self, query: dict[str, Any]) -> MessagePage:
        """List the caller's messages, unread first, then the newest first"""
        return service.messages(access.current_resident().id, **query)


@api.route("/messages/<id:message_id>")
class MyMessage(MethodView):
    @api.response(200, schemas.NoticeSchema())
    @access.resident()
    def get(self, message_id: int) -> MessageView:
        """Get one of the caller's messages; it stays as it is, read or unread"""
        return service.message(access.current_resident().id, message_id)


@api.route("/messages/read")
class MyMessagesRead(MethodView):
    @api.arguments(schemas.NoticeReadSchema())
    @api.response(200, schemas.NoticeReadDoneSchema())
    @access.resident()
    @db.transactional
    def post(self, read: dict[str, Any]) -> dict[str, int]:
        """Mark messages as read; those read before and those of others are passed over"""
        me, now = access.current_resident().id, clock.system_clock()
        count = service.mark_all_read(me, now) if read["all"] else service.mark_read(me, read["ids"], now)
        return {"read_count": count, "unread_count": service.unread_count(me)}


@api.route("/notice-settings")
class MyNoticeSettings(MethodView):
    @api.response(200, schemas.NoticeSettingsSchema())
    @access.resident()
    def get(self) -> Settings:
        """Get how the caller wants to be told"""
        return service.settings(access.current_resident().id)

    @api.arguments(schemas.NoticeSettingsSchema())
    @api.response(200, schemas.NoticeSettingsSchema())
    @access.resident()
    @db.transactional
    def put(self, wanted: Settings) -> Settings:
        """Replace how the caller wants to be told"""
        me, now = access.current_resident().id, clock.system_clock()
        return service.change_settings(me, wanted, version=wanted.version, now=now)


@api.route("/notice-subscriptions")
class MyNoticeSubscriptions(MethodView):
    @api.arguments(schemas.NoticeSubscriptionQuerySchema(), location="query")
    @api.response(200, schemas.NoticeSubscriptionSchema(many=True))
    @access.resident()
    def get(self, query: dict[str, Any]) -> list[Subscription]:
        """List the platform's forms that a mini program may ask the caller to allow"""
        me = access.current_resident().id
        return service.subscriptions(me, query["account"], clock.system_clock())

    @api.arguments(schemas.NoticeConsentsSchema())
    @api.response(200, schemas.NoticeConsentsDoneSchema())
    @access.resident()
    @db.transactional
    def post(self, said: dict[str, Any]) -> dict[str, bool]:
        """Report what the caller allowed and forbade in a mini program"""
        consents = [Consent(one, True) for one in dict.fromkeys(said["allowed"])]
        consents += [Consent(one, False) for one in dict.fromkeys(said["forbidden"])]
        me, now = access.current_resident().id, clock.system_clock()
        return {"noted": service.report(me, said["account"], consents, now)}
