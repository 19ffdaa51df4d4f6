"""The exchange over HTTP: what departments' systems call with signed requests."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response
from flask.views import MethodView

from app.applications import service as applications
from app.core import access, clock, db
from app.core.errors import DomainError
from app.core.installation import settings
from app.core.json_api import Blueprint
from app.core.problems import status_of
from app.exchange import schemas, service
from app.exchange.models import ExchangeSystem
from app.exchange.service import Given, Kind, Receipt
from app.third_parties.service import Caller, Scope, Stage
from config import exchange

api = Blueprint(
    "exchange", __name__, url_prefix="/exchange", description="办件数据对接：部门业务系统与大厅互报报文"
)
MESSAGE = "/cases/<code>/<sblsh>/messages/<int(max=9):sptype>/<int(min=1,max=9999):seq>"
_receipt = schemas.ExchangeReceiptSchema()


def _caller() -> Caller:
    found: Any = access.current_partner()
    assert isinstance(found, Caller)
    return found


def _take(caller: Caller, code: str, given: Given) -> Receipt:
    """Take one message in, in a transaction of its own; a refusal is kept, so it is no error here."""
    now = clock.system_clock()

    def work() -> Receipt:
        system = service.of_caller(caller, code)
        receipt = service.receive(system, caller.stage, given, now=now)
        if caller.stage is Stage.SANDBOX:
            service.saw_messages(system, [(given, receipt)], batch=False, now=now)
        return receipt

    return db.transaction(work)


@api.route(MESSAGE)
class Message(MethodView):
    @api.arguments(schemas.ExchangeVersionSchema(), location="query")
    @api.arguments(schemas.ExchangeBodySchema())
    @api.response(200, _receipt)
    @api.alt_response(201, schema=_receipt, description="已入账")
    @api.alt_response(202, schema=_receipt, description="已收下，等待前序报文")
    @access.partner(Scope.EXCHANGE)
    def put(
        self, query: dict[str, int], body: dict[str, Any], code: str, sblsh: str, sptype: int, seq: int
    ) -> Any:
        """Report a message; the same again gets the first answer, a correction has a higher version"""
        given = Given(sblsh, Kind(sptype), seq, query["version"], body)
        receipt = _take(_caller(), code, given)
        if receipt.refused:
            raise receipt.refusal()
        return receipt, receipt.status

    @api.response(200, schemas.ExchangeMessageSchema())
    @access.partner(Scope.EXCHANGE)
    @db.transactional
    def get(self, code: str, sblsh: str, sptype: int, seq: int) -> Any:
        """Get the state of a message"""
        caller, kind, now = _caller(), Kind(sptype), clock.system_clock()
        system = service.of_caller(caller, code)
        found = service.held_message(system, caller.stage, sblsh, kind, seq)
        if caller.stage is Stage.SANDBOX:
            service.saw_read(system, sblsh, kind, seq, found.state.value, now=now)
        return found


@api.route("/cases/<code>/messages")
class Batch(MethodView):
    @api.arguments(schemas.ExchangeBatchSchema())
    @api.response(200, schemas.ExchangeResultsSchema())
    @access.partner(Scope.EXCHANGE)
    def post(self, batch: dict[str, Any], code: str) -> dict[str, Any]:
        """Report several messages; each has a result of its own, in the order given"""
        caller, now = _caller(), clock.system_clock()
        service.of_caller(caller, code)
        results: list[dict[str, Any]] = []
        came: list[tuple[Given, Receipt]] = []
        for one in batch["messages"]:
            given = Given(one["sblsh"], Kind(one["sptype"]), one["seq"], one["version"], one["body"])
            # A transaction each: one that is refused takes none of the others with it.
            result, receipt = _taken_alone(caller, code, given)
            results.append(result)
            came += [(given, receipt)] if receipt is not None else []
        if caller.stage is Stage.SANDBOX:
            db.transaction(
                lambda: service.saw_messages(service.of_caller(caller, code), came, batch=True, now=now)
            )
        return {"results": results}


def _taken_alone(caller: Caller, code: str, given: Given) -> tuple[dict[str, Any], Receipt | None]:
    now = clock.system_clock()

    def work() -> Receipt:
        return service.receive(service.of_caller(caller, code), caller.stage, given, now=now)

    try:
        receipt = db.transaction(work)
    except DomainError as error:
        return {"status": int(status_of(error)), "receipt": None, "problem": _problem(error)}, None
    problem = _problem(receipt.refusal()) if receipt.refused else None
    return {"status": receipt.status, "receipt": receipt, "problem": problem}, receipt


def _problem(error: DomainError) -> dict[str, Any]:
    return {"code": error.code, "title": error.title, "detail": str(error), "errors": error.fields}


@api.route("/cases/<code>/<sblsh>")
class Case(MethodView):
    @api.response(200, schemas.ExchangeCaseSchema())
    @access.partner(Scope.EXCHANGE)
    def get(self, code: str, sblsh: str) -> Any:
        """Get a case with its messages and files"""
        caller = _caller()
        return service.case_seen(service.of_caller(caller, code), caller.stage, sblsh)


@api.route("/cases/<code>/<sblsh>/files/<id:file_id>")
class File(MethodView):
    @api.response(200, content_type="application/octet-stream")
    @access.partner(Scope.EXCHANGE)
    def get(self, code: str, sblsh: str, file_id: int) -> Response:
        """Get a file of a case"""
        caller, now = _caller(), clock.system_clock()
        store = applications.FolderStore(settings().files_dir)
        work = partial(service.file_of, caller, code, sblsh, file_id, store=store, now=now)
        kind, content = db.transaction(work)
        answer = Response(content, content_type=kind)
        answer.headers["Content-Disposition"] = "attachment"
        return answer


@api.route("/inbox")
class Inbox(MethodView):
    @api.arguments(schemas.ExchangeInboxQuerySchema(), location="query")
    @api.response(200, schemas.ExchangeInboxSchema())
    @access.partner(Scope.EXCHANGE)
    @db.transactional
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Take what the hall has to tell, after a number; it stays there until acknowledged"""
        caller, now = _caller(), clock.system_clock()
        system = service.of_caller(caller, query["system"])
        items = service.pull(
            system,
            caller.stage,
            after=query["after"],
            limit=query["limit"],
            actor=caller.actor,
            now=now,
        )
        if caller.stage is Stage.SANDBOX:
            service.saw_inbox(system, "pull", [one.number for one in items], now=now)
        return {"items": items, "next_after": items[-1].number if items else query["after"]}


@api.route("/inbox/acks")
class Acks(MethodView):
    @api.arguments(schemas.ExchangeAckSchema())
    @api.response(200, schemas.ExchangeAckedListSchema())
    @access.partner(Scope.EXCHANGE)
    @db.transactional
    def post(self, said: dict[str, Any]) -> dict[str, Any]:
        """Acknowledge what was taken over, and say under which number of one's own"""
        caller, now = _caller(), clock.system_clock()
        system = service.of_caller(caller, said["system"])
        taken = {one["number"]: one["sblsh"] for one in said["taken"]}
        found = service.acknowledge(system, caller.stage, taken, now=now)
        if caller.stage is Stage.SANDBOX:
            service.saw_inbox(system, "ack", list(taken), now=now)
        return {"items": [{"number": number, "state": state} for number, state in found.items()]}


@api.route("/systems/<code>")
class System(MethodView):
    @api.response(200, schemas.ExchangeSystemSchema())
    @access.partner(Scope.EXCHANGE)
    def get(self, code: str) -> dict[str, Any]:
        """Get the system that one speaks for"""
        row = service.of_caller(_caller(), code)
        return {
            "code": row.code,
            "name": row.name,
            "state": row.state,
            "passed_version": row.passed_version,
            "standard_version": exchange.golden()[0],
            "items": row.items,
            "results": row.results,
        }


@api.route("/systems/<code>/runs")
class Runs(MethodView):
    @api.response(201, schemas.ExchangeRunSchema())
    @access.partner(Scope.EXCHANGE)
    @db.transactional
    def post(self, code: str) -> service.RunView:
        """Begin the conformance run, with a key of the test environment"""
        caller = _caller()
        return service.start(_tested(caller, code), actor=caller.actor, now=clock.system_clock())

    @api.response(200, schemas.ExchangeRunSchema())
    @access.partner(Scope.EXCHANGE)
    def get(self, code: str) -> service.RunView:
        """Get the newest run with what is due next"""
        return service.current(_tested(_caller(), code), now=clock.system_clock())


@api.route("/systems/<code>/runs/reports")
class Reports(MethodView):
    @api.arguments(schemas.ExchangeReportSchema())
    @api.response(201, schemas.ExchangeRunSchema())
    @access.partner(Scope.EXCHANGE)
    @db.transactional
    def post(self, said: dict[str, Any], code: str) -> service.RunView:
        """Say what was answered where the hall cannot tell who asked"""
        system = _tested(_caller(), code)
        return service.report(system, said["status"], said["code"], now=clock.system_clock())


def _tested(caller: Caller, code: str) -> ExchangeSystem:
    if caller.stage is not Stage.SANDBOX:
        raise service.NotLive("联调测试要用测试环境的密钥")
    return service.of_caller(caller, code)
