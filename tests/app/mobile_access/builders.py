"""Builders of pages in any state."""

from __future__ import annotations

import itertools
import struct
import zlib
from datetime import timedelta

from sqlalchemy import select

from app.core import db
from app.mobile_access import service
from app.mobile_access.files import artifact_store
from app.mobile_access.models import CheckRun
from app.mobile_access.service import CheckResult, CheckVerdict, PageView, Registration, State, Theme
from mobile_pages.artifact import Client, Rendering
from mobile_pages.report.document import to_json
from mobile_pages.spec.base import Profile
from mobile_pages.spec.engine import judge
from tests.builders import NOW, a_body, a_principal
from tests.mobile_pages.spec.builders import an_artifact

_numbers = itertools.count(1)
BOTH = ("alipay", "wechat")


def a_registration(**changed) -> Registration:
    details = {
        "name": "户政服务",
        "url": f"https://page{next(_numbers)}.example.cn/m/",
        "theme": Theme.HOUSEHOLD,
        "channels": BOTH,
        "description": "户口登记和居住证办理",
        "hotline": "020-12345",
        **changed,
    }
    return Registration(**details)


def a_page(*, by=None, body=None, state=State.REGISTERED, now=NOW, **details) -> PageView:
    """Register a page and move it to ``state`` along allowed moves."""
    body = body or a_body()
    by = by or a_principal("department_operator", body=body)
    page = service.register(by, body.id, a_registration(**details), now=now)
    if state is State.REGISTERED:
        return page
    page = service.start_check(by, page.id, now=now)
    if state is State.CHECKING:
        return page
    verdict = CheckVerdict.FAIL if state is State.FAILED else CheckVerdict.PASS
    finish_check(page.id, verdict, now=now)
    reviewer = a_principal("province_reviewer")
    page = service.get(reviewer, page.id)
    if state in (State.FAILED, State.PASSED):
        return page
    kinds = [one.kind for one in page.channels]
    page = service.approve(reviewer, page.id, kinds, version=page.version, now=now)
    if state is State.DEGRADED:
        service.probe_failed(page.id, now, "timeout")
    if state in (State.SUSPENDED, State.RETIRED):
        page = service.suspend(reviewer, page.id, "测试下线", version=page.version, now=now)
    if state is State.RETIRED:
        page = service.retire(by, page.id, version=page.version, now=now)
    return service.get(reviewer, page.id)


def the_run(page_id) -> int:
    """Return the check of the page that is under way."""
    query = select(CheckRun.id).where(CheckRun.page_id == page_id, CheckRun.finished_at.is_(None))
    return db.session().scalars(query).one()


def finish_check(page_id, verdict=CheckVerdict.PASS, *, now=NOW, **changed) -> bool:
    details = {
        "verdict": verdict,
        "spec_version": "1",
        "profile": "standard",
        "counts": {"passed": 30, "failed": 0},
        "report": None,
        "artifact": None,
        **changed,
    }
    return service.record_check(the_run(page_id), CheckResult(**details), now=now + timedelta(seconds=5))


def a_png(width=720, height=1480) -> bytes:
    """Return a white picture, real enough for a browser."""
    rows = zlib.compress(b"".join(b"\0" + b"\xff" * width for _ in range(height)))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", rows),
        (b"IEND", b""),
    ]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def a_report_on_disk(app):
    """Judge an artifact that is too wide; return the report's document and the picture kept for it."""
    picture = a_png()
    digest = artifact_store(app.extensions["hall_settings"].var_dir).put(picture)
    wide = Rendering("plain-360", Client.PLAIN, 360, 740, screenshot=digest)
    artifact = an_artifact(renderings=(wide,))
    document = to_json(judge(artifact, Profile.STANDARD), artifact)
    finding = {
        **dict.fromkeys(("where", "advice", "selector", "snippet", "measured"), ""),
        "where": "正文",
        "advice": "改为百分比宽度",
        "count": 1,
        "rendering": wide.label,
        "box": [0.0, 100.0, 500.0, 40.0],
    }
    first = {**document["rules"][0], "verdict": "fail", "severity": "must", "findings": [finding]}
    return {**document, "rules": [first, *document["rules"][1:]]}, picture
