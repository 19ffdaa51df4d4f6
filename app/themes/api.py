"""JSON API of themes: open guides, the applicant's own, and what staff write."""

from __future__ import annotations

import json
from typing import Any

from flask import Response
from flask.views import MethodView

from app.core import access, clock, db, idempotency, limits
from app.core.access import Permission
from app.core.idempotency import Answer
from app.core.json_api import Blueprint, answered_once
from app.themes import schemas, service
from app.themes.service import Guide, Saved, ThemeCaseList, ThemeCaseView, VersionView

STARTS_PER_HOUR = "60/hour"

themes_api = Blueprint(
    "themes", __name__, url_prefix="/themes", description="主题（一件事）：办事指南、合并的表单"
)
my_themes_api = Blueprint(
    "my_themes", __name__, url_prefix="/my/themes", description="我的主题办件：草稿、提交、撤回"
)
theme_versions_api = Blueprint(
    "theme_versions", __name__, url_prefix="/theme-versions", description="主题的编制、检查、发布"
)
theme_cases_api = Blueprint(
    "theme_cases", __name__, url_prefix="/theme-cases", description="主题办件的联合办理期限"
)
_case = schemas.ThemeCaseSchema()
_receipt = schemas.ThemeReceiptSchema()
_started = schemas.ThemeStartedSchema()
_version = schemas.ThemeVersionSchema()


@themes_api.route("")
class Themes(MethodView):
    @themes_api.response(200, schemas.ThemeListSchema())
    @access.public("residents look before they sign in")
    def get(self) -> dict[str, Any]:
        """List the themes in force"""
        return {"items": service.themes()}


@themes_api.route("/<id:theme_id>")
class Theme(MethodView):
    @themes_api.arguments(schemas.ThemeQuerySchema(), location="query")
    @themes_api.response(200, schemas.ThemeSchema())
    @access.public("residents look before they sign in")
    def get(self, query: dict[str, Any], theme_id: int) -> Guide:
        """Get a theme as it is done in one place: who does what, the merged form and materials"""
        return service.guide(theme_id, query["region"])


@my_themes_api.route("")
class MyThemes(MethodView):
    @my_themes_api.arguments(schemas.ThemeCaseQuerySchema(), location="query")
    @my_themes_api.response(200, schemas.ThemeCaseListSchema())
    @access.resident()
    def get(self, query: dict[str, Any]) -> ThemeCaseList:
        """List one's theme applications, the newest first"""
        return service.mine(access.current_resident().id, cursor=query["cursor"], limit=query["limit"])

    @my_themes_api.doc(parameters=[idempotency.HEADER])
    @my_themes_api.arguments(schemas.ThemeStartSchema())
    @my_themes_api.response(201, _started)
    @access.resident()
    def post(self, sent: dict[str, Any]) -> Response:
        """Begin to apply for a theme, or go on with the draft there is"""
        me, now = access.current_resident(), clock.system_clock()
        limits.hit(STARTS_PER_HOUR, "theme", str(me.id))

        def work() -> Answer:
            made = service.start(
                me.id,
                sent["theme_id"],
                sent["region"],
                left_out=sent["left_out"],
                fresh=sent["fresh"],
                channel=sent["channel"],
                now=now,
            )
            return Answer(201, json.dumps(_started.dump(made), ensure_ascii=False))

        return answered_once(me.actor, "themes.start", work)


@my_themes_api.route("/<id:theme_application_id>")
class OneOfMine(MethodView):
    @my_themes_api.response(200, _case)
    @access.resident()
    def get(self, theme_application_id: int) -> ThemeCaseView:
        """Get one's theme application with its form, answers, parts and steps"""
        return service.my_case(access.current_resident().id, theme_application_id)

    @my_themes_api.arguments(schemas.ThemeSaveSchema())
    @my_themes_api.response(200, schemas.ThemeSavedSchema())
    @access.resident()
    def patch(self, sent: dict[str, Any], theme_application_id: int) -> Saved:
        """Save some answers of a draft"""
        return _saved(theme_application_id, sent)

    @my_themes_api.response(204)
    @access.resident()
    @db.transactional
    def delete(self, theme_application_id: int) -> None:
        """Give a draft up"""
        me = access.current_resident()
        service.discard(me.id, theme_application_id, now=clock.system_clock())


@my_themes_api.route("/<id:theme_application_id>/answers")
class Answers(MethodView):
    @my_themes_api.arguments(schemas.ThemeSaveSchema())
    @my_themes_api.response(200, schemas.ThemeSavedSchema())
    @access.resident()
    def post(self, sent: dict[str, Any], theme_application_id: int) -> Saved:
        """Save some answers of a draft, from a mini program: those cannot send PATCH"""
        return _saved(theme_application_id, sent)


def _saved(theme_application_id: int, sent: dict[str, Any]) -> Saved:
    me, now = access.current_resident(), clock.system_clock()
    return db.transaction(
        lambda: service.save(
            me.id,
            theme_application_id,
            sent["answers"],
            materials=sent["materials"],
            version=sent["version"],
            now=now,
        )
    )


@my_themes_api.route("/<id:theme_application_id>/submit")
class Submission(MethodView):
    @my_themes_api.doc(parameters=[idempotency.HEADER])
    @my_themes_api.arguments(schemas.ThemeVersionNumberSchema())
    @my_themes_api.response(200, _receipt)
    @access.resident()
    def post(self, sent: dict[str, int], theme_application_id: int) -> Response:
        """Submit a draft to all its bodies; with an Idempotency-Key as often as the network needs"""
        me, now = access.current_resident(), clock.system_clock()

        def work() -> Answer:
            service.submit(me.id, theme_application_id, version=sent["version"], level=me.level, now=now)
            # Kept for repeats outside the vault: nothing personal may be in it.
            receipt = _receipt.dump(service.my_case(me.id, theme_application_id))
            return Answer(200, json.dumps(receipt, ensure_ascii=False))

        return answered_once(me.actor, f"themes.submit:{theme_application_id}", work)


@my_themes_api.route("/<id:theme_application_id>/withdraw")
class Withdrawal(MethodView):
    @my_themes_api.arguments(schemas.ThemeVersionNumberSchema())
    @my_themes_api.response(200, _case)
    @access.resident()
    @db.transactional
    def post(self, sent: dict[str, int], theme_application_id: int) -> ThemeCaseView:
        """Withdraw all parts that are not decided yet"""
        me = access.current_resident()
        service.withdraw(me.id, theme_application_id, version=sent["version"], now=clock.system_clock())
        return service.my_case(me.id, theme_application_id)


@theme_versions_api.route("")
class Versions(MethodView):
    @theme_versions_api.response(200, schemas.ThemeVersionListSchema())
    @access.staff(Permission.ITEMS_REVIEW)
    def get(self) -> dict[str, Any]:
        """List of every theme the version in force and the newest"""
        return {"items": service.newest_versions()}

    @theme_versions_api.arguments(schemas.ThemeDefinitionSchema())
    @theme_versions_api.response(201, _version)
    @access.staff(Permission.ITEMS_REVIEW)
    @db.transactional
    def post(self, sent: dict[str, Any]) -> VersionView:
        """Draft the next version of a theme, or a new theme"""
        by = access.current_staff()
        made = service.draft(sent["definition"], actor=by.actor, now=clock.system_clock())
        return service.version_of(made)


@theme_versions_api.route("/<id:version_id>")
class Version(MethodView):
    @theme_versions_api.response(200, _version)
    @access.staff(Permission.ITEMS_REVIEW)
    def get(self, version_id: int) -> VersionView:
        """Get a version with its definition"""
        return service.version_of(version_id)

    @theme_versions_api.arguments(schemas.ThemeEditSchema())
    @theme_versions_api.response(200, _version)
    @access.staff(Permission.ITEMS_REVIEW)
    @db.transactional
    def put(self, sent: dict[str, Any], version_id: int) -> VersionView:
        """Change a draft"""
        by = access.current_staff()
        service.edit(version_id, sent["definition"], version=sent["version"], actor=by.actor)
        return service.version_of(version_id)


@theme_versions_api.route("/<id:version_id>/check")
class Check(MethodView):
    @theme_versions_api.response(200, schemas.ThemeCheckSchema())
    @access.staff(Permission.ITEMS_REVIEW)
    def get(self, version_id: int) -> dict[str, Any]:
        """Check the invariants in every place, and tell what the items have changed since"""
        changes = service.changes_since(service.version_of(version_id))
        return {"findings": service.check(version_id), "stale": bool(changes), "changes": changes}


@theme_versions_api.route("/<id:version_id>/publish")
class Publication(MethodView):
    @theme_versions_api.arguments(schemas.ThemeVersionNumberSchema())
    @theme_versions_api.response(200, _version)
    @access.staff(Permission.ITEMS_REVIEW)
    @db.transactional
    def post(self, sent: dict[str, int], version_id: int) -> VersionView:
        """Bring a draft into force; the older version is superseded"""
        by, now = access.current_staff(), clock.system_clock()
        service.publish(version_id, version=sent["version"], actor=by.actor, now=now)
        return service.version_of(version_id)


@theme_versions_api.route("/<id:version_id>/retire")
class Retirement(MethodView):
    @theme_versions_api.arguments(schemas.ThemeRetireSchema())
    @theme_versions_api.response(200, _version)
    @access.staff(Permission.ITEMS_REVIEW)
    @db.transactional
    def post(self, sent: dict[str, Any], version_id: int) -> VersionView:
        """Take a theme out of use"""
        by, now = access.current_staff(), clock.system_clock()
        service.retire(version_id, version=sent["version"], reason=sent["reason"], actor=by.actor, now=now)
        return service.version_of(version_id)


@theme_cases_api.route("/<id:theme_application_id>/extension")
class Extension(MethodView):
    @theme_cases_api.arguments(schemas.ThemeExtendSchema())
    @theme_cases_api.response(204)
    @access.staff(Permission.CASES_SUPERVISE)
    @db.transactional
    def post(self, sent: dict[str, Any], theme_application_id: int) -> None:
        """Put the joint limit off once, by up to 15 working days"""
        by, now = access.current_staff(), clock.system_clock()
        service.extend(
            by, theme_application_id, sent["days"], sent["reason"], version=sent["version"], now=now
        )
