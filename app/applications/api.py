"""JSON API of applications: the applicant's, the desk's, and progress for everyone with the code."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, request
from flask.views import MethodView

from app.applications import schemas, service
from app.applications.domain import PROGRESS_PER_ADDRESS, PROGRESS_PER_NUMBER, STARTS_PER_HOUR
from app.applications.service import CaseList, CaseView, ProgressView, Receipt, Saved
from app.core import access, clock, db, idempotency, limits
from app.core.idempotency import Answer
from app.core.json_api import Blueprint, answered_once

applications_api = Blueprint(
    "applications", __name__, url_prefix="/my/applications", description="我的申请：草稿、提交、补正、撤回"
)
progress_api = Blueprint("progress", __name__, url_prefix="/progress", description="凭编号和查询码查进度")
_application = schemas.ApplicationSchema()
_receipt = schemas.ApplicationReceiptSchema()
_started = schemas.ApplicationStartedSchema()


@applications_api.route("")
class Applications(MethodView):
    @applications_api.arguments(schemas.ApplicationQuerySchema(), location="query")
    @applications_api.response(200, schemas.ApplicationListSchema())
    @access.resident()
    def get(self, query: dict[str, Any]) -> CaseList:
        """List one's applications, the newest first"""
        me = access.current_resident()
        return service.mine(me.id, cursor=query["cursor"], limit=query["limit"], acting=query["acting"])

    @applications_api.doc(parameters=[idempotency.HEADER])
    @applications_api.arguments(schemas.ApplicationStartSchema())
    @applications_api.response(201, _started)
    @access.resident()
    def post(self, sent: dict[str, Any]) -> Response:
        """Begin an application, or go on with the draft there is"""
        me, now = access.current_resident(), clock.system_clock()
        limits.hit(STARTS_PER_HOUR, "application", str(me.id))

        def work() -> Answer:
            made = service.start_draft(
                me.id,
                sent["item_id"],
                on_behalf_of=sent["on_behalf_of"],
                variant=sent["variant"],
                fresh=sent["fresh"],
                channel=sent["channel"],
                now=now,
            )
            return Answer(201, json.dumps(_started.dump(made), ensure_ascii=False))

        return answered_once(me.actor, "applications.start", work)


@applications_api.route("/<id:application_id>")
class OneApplication(MethodView):
    @applications_api.response(200, _application)
    @access.resident()
    def get(self, application_id: int) -> CaseView:
        """Get one's application with its form, answers and steps"""
        return service.my_case(access.current_resident().id, application_id)

    @applications_api.arguments(schemas.ApplicationSaveSchema())
    @applications_api.response(200, schemas.ApplicationSavedSchema())
    @access.resident()
    def patch(self, sent: dict[str, Any], application_id: int) -> Saved:
        """Save some answers of a draft"""
        return _saved(application_id, sent)

    @applications_api.response(204)
    @access.resident()
    @db.transactional
    def delete(self, application_id: int) -> None:
        """Give a draft up"""
        service.discard(access.current_resident().id, application_id, now=clock.system_clock())


@applications_api.route("/<id:application_id>/answers")
class Answers(MethodView):
    @applications_api.arguments(schemas.ApplicationSaveSchema())
    @applications_api.response(200, schemas.ApplicationSavedSchema())
    @access.resident()
    def post(self, sent: dict[str, Any], application_id: int) -> Saved:
        """Save some answers of a draft, from a mini program: those cannot send PATCH"""
        return _saved(application_id, sent)


@applications_api.route("/<id:application_id>/submit")
class Submission(MethodView):
    @applications_api.doc(parameters=[idempotency.HEADER])
    @applications_api.arguments(schemas.ApplicationVersionSchema())
    @applications_api.response(200, _receipt)
    @access.resident()
    def post(self, sent: dict[str, int], application_id: int) -> Response:
        """Submit a draft; with an Idempotency-Key as often as the network needs"""
        me, now = access.current_resident(), clock.system_clock()

        def work() -> Answer:
            return _told(
                service.submit(me.id, application_id, version=sent["version"], level=me.level, now=now)
            )

        return answered_once(me.actor, f"applications.submit:{application_id}", work)


@applications_api.route("/<id:application_id>/withdraw")
class Withdrawal(MethodView):
    @applications_api.arguments(schemas.ApplicationVersionSchema())
    @applications_api.response(200, _application)
    @access.resident()
    @db.transactional
    def post(self, sent: dict[str, int], application_id: int) -> CaseView:
        """Withdraw an application before it is decided"""
        me = access.current_resident()
        service.withdraw(me.id, application_id, version=sent["version"], now=clock.system_clock())
        return service.my_case(me.id, application_id)


@applications_api.route("/<id:application_id>/supplements")
class Supplements(MethodView):
    @applications_api.doc(parameters=[idempotency.HEADER])
    @applications_api.arguments(schemas.ApplicationSupplySchema())
    @applications_api.response(200, _receipt)
    @access.resident()
    def post(self, sent: dict[str, Any], application_id: int) -> Response:
        """Hand in what the department asked for besides"""
        me, now = access.current_resident(), clock.system_clock()

        def work() -> Answer:
            service.supply(
                me.id,
                application_id,
                sent["answers"],
                {code: way for code, way in sent["materials"].items() if way is not None},
                sent["statement"],
                version=sent["version"],
                now=now,
            )
            return _told(service.receipt(me.id, application_id))

        return answered_once(me.actor, f"applications.supply:{application_id}", work)


def _told(receipt: Receipt) -> Answer:
    """Return the answer that is kept for repeats: nothing personal, for it lies outside the vault."""
    return Answer(200, json.dumps(_receipt.dump(receipt), ensure_ascii=False))


def _saved(application_id: int, sent: dict[str, Any]) -> Saved:
    me, now = access.current_resident(), clock.system_clock()
    return db.transaction(
        lambda: service.save_draft(
            me.id,
            application_id,
            sent["answers"],
            materials=sent["materials"],
            variant=sent["variant"],
            version=sent["version"],
            now=now,
        )
    )


@progress_api.route("")
class Progress(MethodView):
    @progress_api.arguments(schemas.ProgressQuerySchema(), location="query")
    @progress_api.response(200, schemas.ProgressSchema())
    @access.public("who has number and query code may look; nothing personal is shown")
    def get(self, query: dict[str, str]) -> ProgressView:
        """Tell where a case stands"""
        return guarded_progress(query["number"], query["query_code"])


def guarded_progress(number: str, query_code: str) -> ProgressView:
    """Return where a case stands, and count the tries of this address and at this number.

    Raises:
        TooMany: too many tries.
        ProgressUnknown: no such number, or not its code.
    """
    limits.hit(PROGRESS_PER_ADDRESS, "progress", request.remote_addr or "")
    limits.hit(PROGRESS_PER_NUMBER, "progress-number", number)
    return service.progress(number, query_code)
