"""JSON API of the catalogue's desk, for staff: write, review, compare, score, bring in, take out."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response
from flask.views import MethodView
from werkzeug.datastructures import FileStorage

from app.catalogue import desk_reading, desk_schemas, editing, importing, scoring, vetting
from app.catalogue.desk_reading import (
    DeskVersion,
    DirectoryLine,
    DirectoryList,
    Filter,
    ImplementationView,
    StandingLine,
    StandingList,
)
from app.catalogue.exchange_files import BYTES_MAX
from app.catalogue.exporting import exported
from app.catalogue.importing import ImportView
from app.catalogue.scoring import BodyQuality
from app.catalogue.wording import told
from app.core import access, clock, db, installation
from app.core.access import Permission
from app.core.json_api import Blueprint
from app.organisations import service as organisations

desk_blp = Blueprint(
    "catalogue_desk", __name__, url_prefix="/catalogue", description="事项的编制、审查、质量和导入导出"
)


@desk_blp.route("/directory")
class Directory(MethodView):
    @desk_blp.arguments(desk_schemas.CatalogueDeskQuerySchema(), location="query")
    @desk_blp.response(200, desk_schemas.CatalogueDirectoryListSchema())
    @access.staff(Permission.ITEMS_READ)
    def get(self, query: dict[str, Any]) -> DirectoryList:
        """List the directory by name"""
        return desk_reading.directory(text=query["q"], after=query["after"], limit=query["limit"])

    @desk_blp.arguments(desk_schemas.CatalogueNewDirectorySchema())
    @desk_blp.response(201, desk_schemas.CatalogueDirectoryEntrySchema())
    @access.staff(Permission.ITEMS_REVIEW)
    @db.transactional
    def post(self, sent: dict[str, Any]) -> DirectoryLine:
        """Add an item to the directory"""
        by, now = access.current_staff(), clock.system_clock()
        return desk_reading.directory_entry(editing.create_directory(by, sent["new"], now=now))


@desk_blp.route("/directory/<id:directory_id>")
class DirectoryEntry(MethodView):
    @desk_blp.response(200, desk_schemas.CatalogueDirectoryEntrySchema())
    @access.staff(Permission.ITEMS_READ)
    def get(self, directory_id: int) -> DirectoryLine:
        """Get an item of the directory"""
        return desk_reading.directory_entry(directory_id)

    @desk_blp.arguments(desk_schemas.CatalogueChangedDirectorySchema())
    @desk_blp.response(200, desk_schemas.CatalogueDirectoryEntrySchema())
    @access.staff(Permission.ITEMS_REVIEW)
    @db.transactional
    def put(self, sent: dict[str, Any], directory_id: int) -> DirectoryLine:
        """Change an item of the directory; its code stays"""
        editing.change_directory(access.current_staff(), directory_id, sent["new"], version=sent["version"])
        db.writing().flush()
        return desk_reading.directory_entry(directory_id)


@desk_blp.route("/implementations")
class Implementations(MethodView):
    @desk_blp.arguments(desk_schemas.CatalogueStandingQuerySchema(), location="query")
    @desk_blp.response(200, desk_schemas.CatalogueStandingListSchema())
    @access.staff(Permission.ITEMS_READ)
    def get(self, query: dict[str, Any]) -> StandingList:
        """List the implementations in one's scope by name"""
        wanted = Filter(query["q"], query["state"], query["body_id"], query["rule"])
        return desk_reading.implementations(
            access.current_staff(), wanted, after=query["after"], limit=query["limit"]
        )

    @desk_blp.arguments(desk_schemas.CatalogueNewImplementationSchema())
    @desk_blp.response(201, desk_schemas.CatalogueMadeSchema())
    @access.staff(Permission.ITEMS_EDIT)
    @db.transactional
    def post(self, sent: dict[str, Any]) -> dict[str, int]:
        """Say that a body of one's own carries an item out"""
        by, now = access.current_staff(), clock.system_clock()
        region = sent.pop("region_code") or organisations.get_body(sent["body_id"]).region_code
        return {"id": editing.create_implementation(by, **sent, region_code=region, now=now)}


@desk_blp.route("/implementations/<id:implementation_id>")
class Implementation(MethodView):
    @desk_blp.response(200, desk_schemas.CatalogueImplementationSchema())
    @access.staff(Permission.ITEMS_READ)
    def get(self, implementation_id: int) -> ImplementationView:
        """Get an implementation with its versions"""
        return desk_reading.implementation(access.current_staff(), implementation_id)


@desk_blp.route("/implementations/<id:implementation_id>/versions")
class Versions(MethodView):
    @desk_blp.response(201, desk_schemas.CatalogueMadeSchema())
    @access.staff(Permission.ITEMS_EDIT)
    @db.transactional
    def post(self, implementation_id: int) -> dict[str, int]:
        """Draft the next version from the present one"""
        by, now = access.current_staff(), clock.system_clock()
        return {"id": editing.begin_version(by, implementation_id, now=now)}


@desk_blp.route("/versions/<id:version_id>")
class Version(MethodView):
    @desk_blp.response(200, desk_schemas.CatalogueVersionSchema())
    @access.staff(Permission.ITEMS_READ)
    def get(self, version_id: int) -> DeskVersion:
        """Get a version with its score and what one may do with it"""
        return desk_reading.version(access.current_staff(), version_id)

    @desk_blp.arguments(desk_schemas.CatalogueChangedVersionSchema())
    @desk_blp.response(200, desk_schemas.CatalogueVersionSchema())
    @access.staff(Permission.ITEMS_EDIT)
    def put(self, sent: dict[str, Any], version_id: int) -> DeskVersion:
        """Change a draft, or take up a version that was returned"""
        by = access.current_staff()
        desk_reading.version(by, version_id)
        content = vetting.content_of(sent.pop("content"))
        db.transaction(lambda: editing.save_version(by, version_id, content=content, **sent))
        return desk_reading.version(by, version_id)


@desk_blp.route("/versions/<id:version_id>/moves")
class Moves(MethodView):
    @desk_blp.arguments(desk_schemas.CatalogueMoveSchema())
    @desk_blp.response(200, desk_schemas.CatalogueVersionSchema())
    @access.staff(Permission.ITEMS_READ)
    def post(self, sent: dict[str, Any], version_id: int) -> DeskVersion:
        """Hand in, return, file, suspend, resume or cancel a version"""
        by, now = access.current_staff(), clock.system_clock()
        event, open_cases = sent.pop("event"), installation.open_cases_of
        db.transaction(lambda: editing.move(by, version_id, event, **sent, open_cases=open_cases, now=now))
        return desk_reading.version(by, version_id)


@desk_blp.route("/versions/<id:version_id>/differences")
class Differences(MethodView):
    @desk_blp.arguments(desk_schemas.CatalogueDifferencesQuerySchema(), location="query")
    @desk_blp.response(200, desk_schemas.CatalogueDifferencesSchema())
    @access.staff(Permission.ITEMS_READ)
    def get(self, query: dict[str, Any], version_id: int) -> dict[str, Any]:
        """Tell what a version changes, field by field"""
        by = access.current_staff()
        before = desk_reading.version(by, version_id).before
        other = query["from_version_id"] or (before.id if before else None)
        if other is None:
            return {"from_version_id": None, "changes": []}
        changes = told(*desk_reading.compared(by, version_id, other))
        return {"from_version_id": other, "changes": changes}


@desk_blp.route("/reviews")
class Reviews(MethodView):
    @desk_blp.response(200, desk_schemas.CatalogueStandingSchema(many=True))
    @access.staff(Permission.ITEMS_READ)
    def get(self) -> list[StandingLine]:
        """List what waits for its review, the longest first"""
        return desk_reading.waiting(access.current_staff())


@desk_blp.route("/scores")
class Scores(MethodView):
    @desk_blp.response(200, desk_schemas.CatalogueScoresSchema())
    @access.staff(Permission.ITEMS_READ)
    def get(self) -> dict[str, Any]:
        """Rank the bodies in one's scope by the quality of their items, and say what to mend first"""
        by = access.current_staff()
        return {"bodies": scoring.scores(by), "rules": scoring.rule_counts(by)}


@desk_blp.route("/scores/<id:body_id>")
class BodyScores(MethodView):
    @desk_blp.response(200, desk_schemas.CatalogueBodyQualitySchema())
    @access.staff(Permission.ITEMS_READ)
    def get(self, body_id: int) -> BodyQuality:
        """Get the score of a body, what to mend first, and its lowest items"""
        return scoring.body_quality(access.current_staff(), body_id)


@desk_blp.route("/export")
class Export(MethodView):
    @desk_blp.arguments(desk_schemas.CatalogueExportSchema(), location="query")
    @desk_blp.response(
        200,
        content_type="application/octet-stream",
        headers={
            "X-Next-After": {
                "description": "下一个文件的 after，已按 URL 编码；没有就是最后一个",
                "schema": {"type": "string"},
            }
        },
    )
    @access.staff(Permission.ITEMS_READ)
    def get(self, asked: dict[str, Any]) -> Response:
        """Take out a file of at most 500 rows that can be brought in again"""
        made = exported(access.current_staff(), **asked)
        answer = Response(made.content, content_type="application/octet-stream")
        name = f"catalogue-{asked['what'].value}.{asked['form'].value}"
        answer.headers.set("Content-Disposition", "attachment", filename=name)
        if made.next_after is not None:
            answer.headers["X-Next-After"] = quote(made.next_after)
        return answer


@desk_blp.route("/imports")
class Imports(MethodView):
    @desk_blp.arguments(desk_schemas.CatalogueImportQuerySchema(), location="query")
    @desk_blp.arguments(desk_schemas.CatalogueImportFileSchema(), location="files")
    @desk_blp.response(201, desk_schemas.CatalogueImportSchema())
    @access.staff(Permission.ITEMS_READ)
    def post(self, query: dict[str, Any], sent: dict[str, FileStorage]) -> ImportView:
        """Try a file: say what it would do, or every error by row and column; nothing is changed yet"""
        by, now = access.current_staff(), clock.system_clock()
        name, content = sent["file"].filename or "", sent["file"].stream.read(BYTES_MAX + 1)
        return db.transaction(lambda: importing.try_file(by, query["what"], name, content, now=now))


@desk_blp.route("/imports/<id:import_id>")
class Import(MethodView):
    @desk_blp.response(200, desk_schemas.CatalogueImportSchema())
    @access.staff(Permission.ITEMS_READ)
    def get(self, import_id: int) -> ImportView:
        """Get a file of one's own that was tried"""
        return importing.get_import(access.current_staff(), import_id)


@desk_blp.route("/imports/<id:import_id>/commit")
class ImportCommit(MethodView):
    @desk_blp.response(200, desk_schemas.CatalogueImportSchema())
    @access.staff(Permission.ITEMS_READ)
    def post(self, import_id: int) -> ImportView:
        """Bring in a file that was tried: all of it, or nothing"""
        by, now = access.current_staff(), clock.system_clock()
        return db.transaction(lambda: importing.commit(by, import_id, now=now))
