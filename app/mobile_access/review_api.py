"""HTTP of waivers, versions of the access spec, and what people decide, as far as the console can."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

import marshmallow as ma
from flask import Response
from flask.views import MethodView
from werkzeug.datastructures import FileStorage

from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import NotFound
from app.core.installation import settings
from app.core.json_api import Blueprint
from app.mobile_access import review_schemas as schemas
from app.mobile_access import service
from app.mobile_access.domain import EVIDENCE_BYTES_MAX
from app.mobile_access.files import artifact_store
from app.mobile_access.kept import excused, kept_artifact
from app.mobile_access.service import (
    AffectedPage,
    Decision,
    NewVersion,
    OpenRule,
    WaiverState,
    WaiverView,
)
from mobile_pages.artifact import Artifact
from mobile_pages.spec.engine import Waiver

waivers_blp = Blueprint("page_waivers", __name__, url_prefix="/waivers", description="暂缓整改")
spec_blp = Blueprint(
    "spec_versions", __name__, url_prefix="/spec-versions", description="手机版接入规范的版本"
)
rulings_blp = Blueprint(
    "page_rulings", __name__, url_prefix="/mobile-pages", description="网页的暂缓整改和人工核对"
)
REVIEW_BLUEPRINTS = (waivers_blp, spec_blp, rulings_blp)
_WAIVER = "/<id:page_id>/waivers/<id:waiver_id>"
_RULINGS = "/<id:page_id>/checks/<int(max=2147483647):number>/rulings"
_waiver = schemas.WaiverSchema()


@waivers_blp.route("")
class Waivers(MethodView):
    @waivers_blp.arguments(schemas.WaiverQuerySchema(), location="query", unknown=ma.RAISE)
    @waivers_blp.response(200, schemas.WaiverSchema(many=True))
    @access.staff(Permission.PAGES_READ)
    def get(self, query: dict[str, WaiverState]) -> list[WaiverView]:
        """List waivers of all pages in one's scope, those that end first in front"""
        return service.waivers(access.current_staff(), query.get("state"))


@rulings_blp.route("/<id:page_id>/waivers")
class PageWaivers(MethodView):
    @rulings_blp.response(200, schemas.WaiverSchema(many=True))
    @access.staff(Permission.PAGES_READ)
    def get(self, page_id: int) -> list[WaiverView]:
        """List the waivers of a page, newest first"""
        return service.waivers_of(access.current_staff(), page_id)

    @rulings_blp.arguments(schemas.NewWaiverSchema())
    @rulings_blp.response(201, _waiver)
    @access.staff(Permission.PAGES_REGISTER)
    @db.transactional
    def post(self, asked: dict[str, Any], page_id: int) -> WaiverView:
        """Ask for leave to fail a rule until a day"""
        return service.request_waiver(access.current_staff(), page_id, **asked, now=clock.system_clock())


@rulings_blp.route(f"{_WAIVER}/grant")
class WaiverGrant(MethodView):
    @rulings_blp.arguments(schemas.OpinionSchema())
    @rulings_blp.response(200, _waiver)
    @access.staff(Permission.PAGES_REVIEW)
    @db.transactional
    def post(self, given: dict[str, str], page_id: int, waiver_id: int) -> WaiverView:
        """Give the leave that was asked for; the page is judged again"""
        by = access.current_staff()
        return service.decide_waiver(
            by, page_id, waiver_id, approve=True, opinion=given["opinion"], now=clock.system_clock()
        )


@rulings_blp.route(f"{_WAIVER}/refusal")
class WaiverRefusal(MethodView):
    @rulings_blp.arguments(schemas.RefusalSchema())
    @rulings_blp.response(200, _waiver)
    @access.staff(Permission.PAGES_REVIEW)
    @db.transactional
    def post(self, given: dict[str, str], page_id: int, waiver_id: int) -> WaiverView:
        """Refuse the leave that was asked for, with the reason"""
        by = access.current_staff()
        return service.decide_waiver(
            by, page_id, waiver_id, approve=False, opinion=given["opinion"], now=clock.system_clock()
        )


@rulings_blp.route(f"{_WAIVER}/end")
class WaiverEnd(MethodView):
    @rulings_blp.response(200, _waiver)
    @access.staff(Permission.PAGES_READ)
    @db.transactional
    def post(self, page_id: int, waiver_id: int) -> WaiverView:
        """Take back a request, or end leave before its day"""
        return service.end_waiver(access.current_staff(), page_id, waiver_id, now=clock.system_clock())


@spec_blp.route("")
class SpecVersions(MethodView):
    @spec_blp.response(200, schemas.SpecVersionsSchema())
    @access.staff(Permission.PAGES_READ)
    def get(self) -> dict[str, Any]:
        """List the published versions, newest first, and say which holds"""
        holds = service.spec_in_force(today=clock.day_of(clock.system_clock()))
        return {"in_force": holds.version, "versions": service.versions()}

    @spec_blp.arguments(schemas.NewSpecVersionSchema())
    @spec_blp.response(201, schemas.SpecVersionSchema())
    @access.staff(Permission.SPEC_MANAGE)
    @db.transactional
    def post(self, new: NewVersion) -> service.SpecView:
        """Publish a version; on its day every page is judged again without a visit"""
        return service.publish_version(new, actor=access.current_staff().actor, now=clock.system_clock())


@spec_blp.route("/<version>/affected-pages")
class AffectedPages(MethodView):
    @spec_blp.response(200, schemas.AffectedPageSchema(many=True))
    @access.staff(Permission.PAGES_READ)
    def get(self, version: str) -> list[AffectedPage]:
        """List pages in one's scope on which a version changed a verdict, the worst first"""
        if version not in {one.version for one in service.versions()}:
            raise NotFound("没有这个版本")
        return service.affected_pages(access.current_staff(), version)


@rulings_blp.route(_RULINGS)
class Rulings(MethodView):
    @rulings_blp.response(200, schemas.OpenRuleSchema(many=True))
    @access.staff(Permission.PAGES_READ)
    def get(self, page_id: int, number: int) -> list[OpenRule]:
        """List the rules of a check that ask for a person, with what was decided so far"""
        return service.open_rules(access.current_staff(), page_id, number)

    @rulings_blp.arguments(schemas.NewRulingSchema())
    @rulings_blp.response(201, schemas.OpenRuleSchema())
    @access.staff(Permission.PAGES_READ)
    def post(self, said: dict[str, Any], page_id: int, number: int) -> OpenRule:
        """Decide on a rule that asks for a person; the check is judged again with it"""
        code = said["code"]
        decision = Decision(tuple(said["answers"]), said["passed"], said["note"])
        by = access.current_staff()

        def decide(artifact: Artifact | None, waived: list[Waiver], now: datetime) -> None:
            service.rule_on(by, page_id, number, code, decision, artifact, waived, now=now)

        return _judged_with(decide, page_id, number, code)


@rulings_blp.route(f"{_RULINGS}/<code>/evidence")
class RulingEvidence(MethodView):
    @rulings_blp.arguments(schemas.EvidenceFileSchema(), location="files")
    @rulings_blp.response(201, schemas.OpenRuleSchema())
    @access.staff(Permission.PAGES_READ)
    def post(self, sent: dict[str, FileStorage], page_id: int, number: int, code: str) -> OpenRule:
        """Add the file that proves one's own newest ruling; pictures are kept without what they hide"""
        by = access.current_staff()
        service.report_of(by, page_id, number)
        file = service.examined(sent["file"].stream.read(EVIDENCE_BYTES_MAX + 1), sent["file"].filename or "")
        artifact_store(settings().var_dir).put(file.content)
        proof = file, sha256(file.content).hexdigest()

        def prove(artifact: Artifact | None, waived: list[Waiver], now: datetime) -> None:
            service.prove(by, page_id, number, code, proof, artifact, waived, now=now)

        return _judged_with(prove, page_id, number, code)


@rulings_blp.route("/<id:page_id>/checks/<int(max=2147483647):number>/evidence/<digest>")
class Evidence(MethodView):
    @rulings_blp.response(200, content_type="application/octet-stream")
    @access.staff(Permission.PAGES_READ)
    def get(self, page_id: int, number: int, digest: str) -> Response:
        """Get a file that proves a ruling"""
        found = service.evidence_file(access.current_staff(), page_id, number, digest)
        answer = Response(artifact_store(settings().var_dir).get(digest))
        answer.content_type = "application/octet-stream"
        answer.headers.set("Content-Disposition", "attachment", filename=found.evidence_name)
        return answer


def _judged_with(
    act: Callable[[Artifact | None, list[Waiver], datetime], None], page_id: int, number: int, code: str
) -> OpenRule:
    """Run ``act`` on what is kept of a check in one transaction; return the rule as it stands then."""
    by, now = access.current_staff(), clock.system_clock()
    artifact = kept_artifact(service.report_of(by, page_id, number).check.artifact)
    waived = excused(page_id, artifact.declaration.url if artifact else "", now=now)
    db.transaction(lambda: act(artifact, waived, now))
    return next(one for one in service.open_rules(by, page_id, number) if one.code == code)
