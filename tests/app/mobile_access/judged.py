"""Builders of checks with real reports: what was collected, judged by the real rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.core import clock
from app.mobile_access import service
from app.mobile_access.files import artifact_store
from app.mobile_access.judging import judged
from app.mobile_access.service import PageView, SpecView, State
from config.access_spec.versions import PinchZoom
from mobile_pages.artifact import Artifact, Client, Rendering
from tests.app.mobile_access.builders import a_page, the_run
from tests.builders import NOW, a_principal
from tests.mobile_pages.spec.builders import an_artifact

TODAY = clock.day_of(NOW)


def a_spec(version="1", **changed) -> SpecView:
    details = {
        "version": version,
        "effective_on": TODAY,
        "grace_days": 30,
        "pinch_zoom": PinchZoom.ALLOW,
        "changelog": "测试",
        **changed,
    }
    return SpecView(**details)


def a_new_version(version="2", **changed) -> service.NewVersion:
    spec = a_spec(version, **changed)
    return service.NewVersion(
        spec.version, spec.effective_on, spec.grace_days, spec.pinch_zoom, spec.changelog
    )


def only(result, *codes):
    """Return a result in which exactly the must-rules ``codes`` fail; what was not run stays so."""
    rules = [
        {**rule, "verdict": _verdict(rule, codes), "severity": "must", "waiver": ""}
        for rule in result.report["rules"]
    ]
    verdict = service.CheckVerdict.FAIL if codes else service.CheckVerdict.PASS
    return replace(result, verdict=verdict, report={**result.report, "rules": rules})


def _verdict(rule, codes):
    if rule["code"] in codes:
        return "fail"
    return "not_run" if rule["verdict"] == "not_run" else "pass"


def a_result(app, *failing, artifact: Artifact | None = None, picture: bytes | None = None):
    """Judge an artifact and keep it; exactly ``failing`` fail."""
    store = artifact_store(app.extensions["hall_settings"].var_dir)
    renderings = ()
    if picture is not None:
        shot = Rendering("plain-360", Client.PLAIN, 360, 740, screenshot=store.put(picture))
        renderings = (shot,)
    seen = artifact or an_artifact(renderings=renderings)
    digest = store.put(seen.to_json().encode())
    return only(judged(seen, digest, a_spec(), ()), *failing)


def an_online_page(app, given, *, now=NOW, **details) -> PageView:
    """Return an online page whose first check has a report in which everything passes."""
    page = given(a_page, state=State.CHECKING, now=now, **details)
    result = a_result(app)
    given(lambda: service.record_check(the_run(page.id), result, now=now))
    return given(_approved, page.id, now)


def _approved(page_id, now):
    reviewer = a_reviewer()
    page = service.get(reviewer, page_id)
    kinds = [one.kind for one in page.channels]
    return service.approve(reviewer, page_id, kinds, version=page.version, now=now)


def a_reviewer():
    return a_principal("province_reviewer")


def checked(app, given, page, kind, *failing, now, occasion=None):
    """Ask for a check of an online page and let it end with ``failing``."""
    run_id = given(service.ask_recheck, page.id, kind, occasion=occasion, because="", actor="system", now=now)
    result = a_result(app, *failing)
    given(service.record_check, run_id, result, now=now + timedelta(seconds=30))
    return run_id


def confirm(app, given, page, *failing, now):
    """Let the second visit that a failing recheck asked for end with ``failing``."""
    result = a_result(app, *failing)
    given(lambda: service.record_check(the_run(page.id), result, now=now + timedelta(seconds=30)))


def found_failing(app, given, page, kind, *failing, now):
    """Let a recheck and the visit that confirms it end with ``failing``."""
    checked(app, given, page, kind, *failing, now=now)
    confirm(app, given, page, *failing, now=now)
