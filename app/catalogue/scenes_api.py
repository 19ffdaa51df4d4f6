"""JSON API: scenes for mini programs, and for staff their scripts and the relations of items."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView

from app.catalogue import scene_schemas as schemas
from app.catalogue import service
from app.catalogue.service import Relation, SceneVersionView, Stand
from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import NotFound
from app.core.json_api import Blueprint

scenes_api = Blueprint(
    "scenes", __name__, url_prefix="/scenes", description="场景导航：一步一步找到事项和情形"
)
scripts_api = Blueprint(
    "scene_scripts", __name__, url_prefix="/scene-scripts", description="场景导航的编写（工作人员）"
)
relations_api = Blueprint(
    "item_relations", __name__, url_prefix="/item-directory", description="事项之间的关系（工作人员）"
)
SCENE_BLUEPRINTS = (scenes_api, scripts_api, relations_api)


@scenes_api.route("")
class Scenes(MethodView):
    @scenes_api.response(200, schemas.SceneListSchema())
    @access.public("residents look before they sign in")
    def get(self) -> dict[str, Any]:
        """List the scenes that lead to items by questions"""
        return {"scenes": service.scenes()}


@scenes_api.route("/<key>")
class SceneWay(MethodView):
    @scenes_api.arguments(schemas.SceneQuerySchema(), location="query")
    @scenes_api.response(200, schemas.SceneStandSchema())
    @access.public("residents look before they sign in; answers hold nothing personal")
    def get(self, query: dict[str, Any], key: str) -> Stand:
        """Walk a scene: the next question, or the item and variant or exit that the answers lead to"""
        answers = query["answers"].split(".") if query["answers"] else []
        return service.stand(key, answers, query["region"])


@scripts_api.route("/checks")
class SceneChecks(MethodView):
    @scripts_api.arguments(schemas.SceneContentSchema())
    @scripts_api.response(200, schemas.SceneProblemsSchema())
    @access.staff(Permission.ITEMS_REVIEW)
    def post(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Check a script without saving it: dead ends, circles, questions that nobody gets to"""
        return {"problems": service.scene_problems(asked["content"])}


@scripts_api.route("/<key>")
class SceneScript(MethodView):
    @scripts_api.response(200, schemas.SceneVersionSchema(many=True))
    @access.staff(Permission.ITEMS_REVIEW)
    def get(self, key: str) -> list[SceneVersionView]:
        """List the versions of a scene, newest first"""
        return service.scene_versions(key)

    @scripts_api.arguments(schemas.SceneWriteSchema())
    @scripts_api.response(200, schemas.SceneSavedSchema())
    @access.staff(Permission.ITEMS_REVIEW)
    @db.transactional
    def put(self, asked: dict[str, Any], key: str) -> dict[str, int]:
        """Save the next version of a scene; residents see it from now on"""
        number = service.save_scene(
            key,
            asked["content"],
            seen=asked["version"],
            actor=access.current_staff().actor,
            now=clock.system_clock(),
        )
        return {"version": number}

    @scripts_api.arguments(schemas.SceneSeenSchema(), location="query")
    @scripts_api.response(204)
    @access.staff(Permission.ITEMS_REVIEW)
    @db.transactional
    def delete(self, asked: dict[str, Any], key: str) -> None:
        """Show a scene no longer; its versions stay"""
        service.withdraw_scene(key, seen=asked["version"], actor=access.current_staff().actor)


@relations_api.route("/<id:directory_id>/relations")
class DirectoryRelations(MethodView):
    @relations_api.response(200, schemas.ItemRelationSchema(many=True))
    @access.staff(Permission.ITEMS_READ)
    def get(self, directory_id: int) -> list[Relation]:
        """List what is said of an item and others, from both ends"""
        if not service.directory_names([directory_id]):
            raise NotFound("没有这个事项")
        return service.all_relations_of(directory_id)

    @relations_api.arguments(schemas.NewItemRelationSchema())
    @relations_api.response(201, schemas.ItemRelationSavedSchema())
    @access.staff(Permission.ITEMS_READ)
    @db.transactional
    def post(self, asked: dict[str, Any], directory_id: int) -> dict[str, int]:
        """Say how an item stands to another; what is said already is answered with its id"""
        staff = access.current_staff()
        service.demand_editor(staff, directory_id)
        now = clock.system_clock()
        kind, other = asked["kind"], asked["other_directory_id"]
        return {
            "id": service.add_relation(
                directory_id, kind, other, variant=asked["variant"], actor=staff.actor, now=now
            )
        }


@relations_api.route("/<id:directory_id>/relations/<id:relation_id>")
class DirectoryRelation(MethodView):
    @relations_api.response(204)
    @access.staff(Permission.ITEMS_READ)
    @db.transactional
    def delete(self, directory_id: int, relation_id: int) -> None:
        """Take a relation away that is written down at this item"""
        staff = access.current_staff()
        service.demand_editor(staff, directory_id)
        service.remove_relation(directory_id, relation_id, actor=staff.actor)
