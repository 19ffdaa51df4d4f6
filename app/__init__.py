"""The hall: a Flask application made of capabilities."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.util import find_spec
from typing import Any

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.routing import IntegerConverter, Map

from app.core import (
    access,
    api_docs,
    assets,
    audit,
    cli,
    clock,
    db,
    elsewhere,
    hearing,
    hot,
    json_api,
    languages,
    lately,
    limits,
    logs,
    problems,
    vault,
    viewing,
    web,
)
from app.core.capability import Capability
from app.core.ids import MAX_ID
from app.core.json_api import HallApi
from app.core.later import JobTable, load
from app.core.outbox import Job
from app.core.upkeep import UPKEEP
from config.settings import Settings

API_PREFIX = "/api/v1"


class IdConverter(IntegerConverter):
    """A key in an address; anything above 63 bits is simply not found."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=MAX_ID)


def capabilities() -> list[Capability]:
    """Return every capability: each package under ``app/`` with a ``wiring`` module, by name."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if info.ispkg)
    wirings = [f"{__name__}.{name}.wiring" for name in names]
    return [importlib.import_module(name).CAPABILITY for name in wirings if find_spec(name)]


def create_app(settings: Settings) -> Flask:
    """Build the application. No I/O; the database is reached on first use."""
    logs.configure()
    app = Flask(__name__, static_folder="core/static", template_folder="core/templates")
    app.extensions["hall_settings"] = settings
    app.config.update(
        SECRET_KEY=settings.secret_key,
        API_TITLE="广东省网上办事大厅手机版",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        WTF_CSRF_TIME_LIMIT=None,  # the form lives as long as the session that signs it
        WTF_CSRF_SSL_STRICT=False,  # Referrer-Policy same-origin keeps the Referer on our own forms
        API_SPEC_OPTIONS={
            "info": {"description": "登记、检测、发布和监测各地各部门的移动网页。"},
            "components": {"securitySchemes": json_api.SECURITY_SCHEMES},
            "security": [{"token": []}],
        },
    )
    app.url_map.converters["id"] = IdConverter
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    db.init_app(app, settings.database_url)
    lately.init_app(app)
    vault.init_app(app, settings)
    audit.init_app(app, settings.audit_key)
    limits.init_app(app, settings.redis_url)
    hot.init_app(app)  # before web: its layer lies inside request ids, its hook runs after all headers
    web.init_app(app, settings)
    assets.init_app(app)  # before languages: pages are compressed last
    languages.init_app(app)
    found = capabilities()
    viewing.init_app(app, next((one.choices for one in found if one.choices), ""))
    _register(app, settings, found)
    problems.init_app(app)
    _template_helpers(app)
    return app


def _register(app: Flask, settings: Settings, found: list[Capability]) -> None:
    csrf = CSRFProtect(app)
    api = HallApi(app)
    api.register_converter(IdConverter, lambda _: {"type": "string", "pattern": "^[0-9]{1,19}$"})
    api_names: set[str] = set()
    for capability in found:
        for blueprint in capability.api:
            api.register_blueprint(blueprint, url_prefix=f"{API_PREFIX}{blueprint.url_prefix or ''}")
            csrf.exempt(blueprint)
            api_names.add(blueprint.name)
        for pages in capability.pages:
            app.register_blueprint(pages)
        for callbacks in capability.callbacks:
            app.register_blueprint(callbacks)
            csrf.exempt(callbacks)
        for group in capability.commands:
            app.cli.add_command(group)
    api_docs.init_app(app)
    jobs = JobTable(lambda: collect_jobs(found))
    app.extensions["hall_jobs"] = jobs
    app.extensions["hall_watch"] = next((one.watch for one in found if one.watch), "")
    app.extensions["hall_open_cases"] = next((one.open_cases for one in found if one.open_cases), "")
    app.extensions["hall_item_names"] = next((one.item_names for one in found if one.item_names), "")
    app.extensions["hall_mine"] = tuple(link for one in found for link in one.mine)
    app.extensions["hall_held"] = tuple(one.held for one in found if one.held)
    app.extensions["hall_case_paths"] = next((one.case_paths for one in found if one.case_paths), "")
    app.extensions["hall_gauges"] = tuple(one.gauges for one in found if one.gauges)
    hearing.init_app(app, (one.hears for one in found))
    elsewhere.init_app(app, (one.finds for one in found))
    authenticators = access.Authenticators(
        staff=next((one.authenticator for one in found if one.authenticator), None),
        residents=next((one.residents for one in found if one.residents), None),
        partners=next((one.partners for one in found if one.partners), None),
    )
    access.init_app(app, authenticators, lambda endpoint: endpoint.split(".")[0] in api_names)
    cli.init_app(app, settings, found, jobs)


def collect_jobs(found: list[Capability]) -> dict[str, Job]:
    """Return every job by name, the core's own included.

    Raises:
        ValueError: two jobs share a name.
    """
    jobs: dict[str, Job] = {}
    references = (capability.jobs for capability in found if capability.jobs)
    for job in (*UPKEEP, *(job for reference in references for job in load(reference))):
        if job.name in jobs:
            raise ValueError(f"two jobs are named {job.name}")
        jobs[job.name] = job
    return jobs


def _template_helpers(app: Flask) -> None:
    app.add_template_filter(lambda at: at.astimezone(clock.HALL_TIME).strftime("%Y-%m-%d %H:%M"), "local")

    @app.context_processor
    def _helpers() -> dict[str, Any]:
        return {"staff": access.maybe_staff()}
