"""JSON API of the work desk: the queue, a case, who works on it, its steps, its second person."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from app.applications import schemas, service
from app.applications.service import DeskCase, DeskList, Event, Told, Wanted
from app.core import access, clock, db
from app.core.access import Permission
from app.core.json_api import Blueprint
from app.organisations import service as organisations
from app.organisations.service import Principal

cases_api = Blueprint("cases", __name__, url_prefix="/cases", description="办理单位的工作台")
_case = schemas.CaseSchema()


@cases_api.route("")
class Cases(MethodView):
    @cases_api.arguments(schemas.CaseQuerySchema(), location="query")
    @cases_api.response(200, schemas.CaseListSchema())
    @access.staff(Permission.CASES_READ)
    def get(self, query: dict[str, Any]) -> DeskList:
        """List the open cases in one's scope, what is due first first"""
        cursor, limit = query.pop("cursor"), query.pop("limit")
        today = clock.day_of(clock.system_clock())
        return service.queue(access.current_staff(), Wanted(**query), today=today, cursor=cursor, limit=limit)


@cases_api.route("/next")
class Next(MethodView):
    @cases_api.response(200, _case)
    @access.staff(Permission.CASES_HANDLE)
    @db.transactional
    def post(self) -> DeskCase:
        """Take the riskiest case that nobody took; no two people get the same"""
        by, now = access.current_staff(), clock.system_clock()
        return service.case_for(by, service.take_next(by, now=now), now=now)


@cases_api.route("/<id:application_id>")
class OneCase(MethodView):
    @cases_api.response(200, _case)
    @access.staff(Permission.CASES_READ)
    def get(self, application_id: int) -> DeskCase:
        """Get a case, personal answers starred"""
        return service.case_for(access.current_staff(), application_id, now=clock.system_clock())


@cases_api.route("/<id:application_id>/handler")
class Handler(MethodView):
    @cases_api.arguments(schemas.ApplicationVersionSchema())
    @cases_api.response(200, _case)
    @access.staff(Permission.CASES_HANDLE)
    @db.transactional
    def put(self, sent: dict[str, int], application_id: int) -> DeskCase:
        """Take a case on"""
        by, now = access.current_staff(), clock.system_clock()
        service.take(by, application_id, version=sent["version"], now=now)
        return service.case_for(by, application_id, now=now)

    @cases_api.arguments(schemas.CaseHandOverSchema())
    @cases_api.response(200, _case)
    @access.staff(Permission.CASES_READ)
    @db.transactional
    def post(self, sent: dict[str, Any], application_id: int) -> DeskCase:
        """Give a case to a colleague: whose it is, or the head of the body"""
        by, now = access.current_staff(), clock.system_clock()
        service.pass_on(
            by, application_id, sent["staff_id"], sent["reason"], version=sent["version"], now=now
        )
        return service.case_for(by, application_id, now=now)

    @cases_api.arguments(schemas.CasePutBackSchema(), location="query")
    @cases_api.response(200, _case)
    @access.staff(Permission.CASES_HANDLE)
    @db.transactional
    def delete(self, query: dict[str, str], application_id: int) -> DeskCase:
        """Put a case back for colleagues"""
        by, now = access.current_staff(), clock.system_clock()
        service.put_back(by, application_id, query["reason"], now=now)
        return service.case_for(by, application_id, now=now)


@cases_api.route("/<id:application_id>/opinions")
class Opinions(MethodView):
    @cases_api.arguments(schemas.CaseOpinionSchema())
    @cases_api.response(201, _case)
    @access.staff(Permission.CASES_READ)
    @db.transactional
    def post(self, sent: dict[str, str], application_id: int) -> DeskCase:
        """Write an opinion for colleagues; no resident reads it"""
        by, now = access.current_staff(), clock.system_clock()
        service.opine(by, application_id, sent["text"], now=now)
        return service.case_for(by, application_id, now=now)


@cases_api.route("/<id:application_id>/steps")
class Steps(MethodView):
    @cases_api.arguments(schemas.CaseStepSchema())
    @cases_api.response(200, _case)
    @access.staff(Permission.CASES_READ)
    @db.transactional
    def post(self, sent: dict[str, Any], application_id: int) -> DeskCase:
        """Take a step: accept, ask for a supplement, decide, …; whose step it is hangs on the event"""
        by, event, now = access.current_staff(), sent.pop("event"), clock.system_clock()
        service.step(by, application_id, Event(event), told_from(sent), now=now)
        return service.case_for(by, application_id, now=now)


def told_from(sent: dict[str, Any]) -> Told:
    """Return what was said with a step."""
    return Told(**{**sent, "delivery": sent["delivery"].value if sent["delivery"] else ""})


@cases_api.route("/<id:application_id>/second-opinion")
class SecondOpinion(MethodView):
    @cases_api.arguments(schemas.CaseSecondSchema())
    @cases_api.response(200, _case)
    @access.staff(Permission.CASES_READ)
    @db.transactional
    def post(self, sent: dict[str, Any], application_id: int) -> DeskCase:
        """Confirm a colleague's decision, or send it back; never one's own"""
        by, now = access.current_staff(), clock.system_clock()
        answer = service.confirm if sent["confirmed"] else service.send_back
        answer(by, application_id, sent["opinion"], version=sent["version"], now=now)
        return service.case_for(by, application_id, now=now)


@cases_api.route("/<id:application_id>/personal")
class Personal(MethodView):
    @cases_api.arguments(schemas.CaseReasonSchema())
    @cases_api.response(200, schemas.CaseAnswersSchema())
    @access.staff(Permission.CASES_HANDLE)
    def post(self, sent: dict[str, str], application_id: int) -> dict[str, Any]:
        """Read the answers in clear text; trail and applicant see who read them, and why"""
        by = access.current_staff()
        return {"answers": personal_answers(by, application_id, sent["reason"], sent["code"])}


def personal_answers(by: Principal, application_id: int, reason: str, code: str) -> dict[str, Any]:
    """Return personal answers in clear text to who has just shown a one-time code, or shows one now."""
    now = clock.system_clock()
    # A transaction of its own: a wrong code stays counted though nothing is read.
    confirmed = organisations.freshly_confirmed(by, now) or (
        code != "" and db.transaction(lambda: organisations.confirm(by, code, now=now))
    )
    return db.transaction(
        lambda: service.personal_answers(by, application_id, reason, confirmed=confirmed, now=now)
    )
