"""Which pages a version of the spec changed, and how, for the province and each department."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import load_only

from app.core import clock, db
from app.core.access import Permission
from app.mobile_access.checks import differences_of
from app.mobile_access.domain import STATE_LABELS, CheckKind
from app.mobile_access.grace import open_graces
from app.mobile_access.models import CheckRun, MobilePage
from app.mobile_access.shapes import AffectedPage
from app.mobile_access.tables import harmless
from app.organisations import service as organisations
from app.organisations.service import Principal

COLUMNS = ("网页", "单位", "状态", "新出现不通过", "其中必须整改", "已改好", "整改期限", "检测次序")


def affected_pages(by: Principal, version: str) -> list[AffectedPage]:
    """Return the pages in the scope of ``by`` on which ``version`` changed a verdict, the worst first.

    One row per page: the last time it was judged again under this version.
    """
    query = (
        select(CheckRun, MobilePage)
        .join(MobilePage, MobilePage.id == CheckRun.page_id)
        .where(
            CheckRun.kind == CheckKind.SPEC,
            CheckRun.spec_version == version,
            organisations.scope_condition(by, Permission.PAGES_READ, MobilePage.body_id),
        )
        .order_by(CheckRun.number)
        .options(load_only(CheckRun.number, CheckRun.page_id, CheckRun.differences))
    )
    newest = {run.page_id: (run, page) for run, page in db.session().execute(query)}
    graces = open_graces(list(newest))
    bodies = {body.id: body.full_name for body in organisations.bodies()}
    found = []
    for run, page in newest.values():
        moved = differences_of(run)
        if moved is not None and (moved.broken or moved.mended):
            found.append(
                AffectedPage(
                    page_id=page.id,
                    page_name=page.name,
                    body_name=bodies[page.body_id],
                    state=page.state,
                    check_number=run.number,
                    differences=moved,
                    grace=graces.get(page.id),
                )
            )
    return sorted(
        found, key=lambda one: (-len(one.differences.must_broken), -len(one.differences.broken), one.page_id)
    )


def affected_table(pages: Iterable[AffectedPage]) -> bytes:
    """Return the pages as CSV for a spreadsheet program; no cell is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in pages:
        moved = one.differences
        until = one.grace.until_at.astimezone(clock.HALL_TIME).strftime("%Y-%m-%d %H:%M") if one.grace else ""
        cells = [one.page_name, one.body_name, STATE_LABELS[one.state]]
        cells += ["、".join(codes) for codes in (moved.broken, moved.must_broken, moved.mended)]
        writer.writerow([harmless(cell) for cell in (*cells, until, str(one.check_number))])
    return out.getvalue().encode("utf-8-sig")
