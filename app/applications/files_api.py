"""JSON API of files: the applicant's uploads, and what the desk opens of them."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.views import MethodView
from werkzeug.datastructures import FileStorage

from app.applications import schemas, service
from app.applications.api import applications_api as applications_api
from app.applications.desk_api import cases_api as cases_api
from app.applications.file_answers import ONE_UPLOAD_BYTES, answered, store, take
from app.applications.service import FileView, NewCode, Prefilled
from app.core import access, clock, db, web
from app.core.access import Permission

_BYTES = "application/octet-stream"


@applications_api.route("/<id:application_id>/files")
class ApplicationFiles(MethodView):
    @applications_api.arguments(schemas.FileQuerySchema(), location="query")
    @applications_api.arguments(schemas.FileSentSchema(), location="files")
    @applications_api.response(201, schemas.ApplicationFileSchema())
    @access.resident()
    @web.takes_uploads(ONE_UPLOAD_BYTES)
    def post(self, query: dict[str, str], sent: dict[str, FileStorage], application_id: int) -> FileView:
        """Upload a photo or document of a material; under the same key as often as the network needs"""
        return take(application_id, query["material"], query["key"], sent["file"])


@applications_api.route("/<id:application_id>/files/<id:file_id>")
class ApplicationFile(MethodView):
    @applications_api.response(200, content_type=_BYTES)
    @access.resident()
    def get(self, application_id: int, file_id: int) -> Response:
        """Get a file of one's application"""
        return _mine(application_id, file_id, thumb=False)

    @applications_api.response(204)
    @access.resident()
    @db.transactional
    def delete(self, application_id: int, file_id: int) -> None:
        """Take a file away that was not handed in yet"""
        me = access.current_resident()
        service.remove_file(me.id, application_id, file_id, now=clock.system_clock())


@applications_api.route("/<id:application_id>/files/<id:file_id>/thumb")
class ApplicationThumb(MethodView):
    @applications_api.response(200, content_type=_BYTES)
    @access.resident()
    def get(self, application_id: int, file_id: int) -> Response:
        """Get the small picture of a photo"""
        return _mine(application_id, file_id, thumb=True)


def _mine(application_id: int, file_id: int, *, thumb: bool) -> Response:
    me = access.current_resident()
    found = service.my_file(me.id, application_id, file_id, thumb=thumb, store=store())
    return answered(*found, thumb=thumb)


@applications_api.route("/<id:application_id>/prefill")
class Prefill(MethodView):
    @applications_api.arguments(schemas.ApplicationVersionSchema())
    @applications_api.response(200, schemas.PrefilledSchema())
    @access.resident()
    @db.transactional
    def post(self, sent: dict[str, Any], application_id: int) -> Prefilled:
        """Fill the empty fields with what the hall knows of oneself; each answer names its source"""
        me = access.current_resident()
        return service.prefill(me.id, application_id, version=sent["version"], now=clock.system_clock())


@applications_api.route("/<id:application_id>/query-code")
class QueryCode(MethodView):
    @applications_api.arguments(schemas.ApplicationVersionSchema())
    @applications_api.response(200, schemas.QueryCodeSchema())
    @access.resident()
    @db.transactional
    def post(self, sent: dict[str, Any], application_id: int) -> NewCode:
        """Get a new query code; the old one shows nothing any more"""
        me, now = access.current_resident(), clock.system_clock()
        return service.new_query_code(me.id, application_id, version=sent["version"], now=now)


@cases_api.route("/<id:application_id>/files/<id:file_id>")
class CaseFile(MethodView):
    @cases_api.response(200, content_type=_BYTES)
    @access.staff(Permission.CASES_HANDLE)
    def get(self, application_id: int, file_id: int) -> Response:
        """Get a file of a case; that it was opened is written down, and the person can see it"""
        return _of_case(application_id, file_id, thumb=False)


@cases_api.route("/<id:application_id>/files/<id:file_id>/thumb")
class CaseThumb(MethodView):
    @cases_api.response(200, content_type=_BYTES)
    @access.staff(Permission.CASES_READ)
    def get(self, application_id: int, file_id: int) -> Response:
        """Get the small picture of a photo of a case"""
        return _of_case(application_id, file_id, thumb=True)


def _of_case(application_id: int, file_id: int, *, thumb: bool) -> Response:
    by, now = access.current_staff(), clock.system_clock()
    found = service.case_file(by, application_id, file_id, thumb=thumb, store=store(), now=now)
    return answered(*found, thumb=thumb)
