"""The clocks of applications, run by the calendar."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

from app.applications import attachments, retention, service
from app.applications.blobs import FolderStore
from app.applications.paper_html import as_html
from app.core import clock, db
from app.core.apart import each_apart
from app.core.errors import Unavailable
from app.core.installation import settings
from app.core.outbox import Job
from mobile_pages.report.pdf import to_pdf

FILES_AT_ONCE = 500


def end_intakes(_payload: Mapping[str, Any]) -> None:
    _each(service.overdue_intakes(clock.day_of(clock.system_clock())), service.deem_accepted)


def end_supplements(_payload: Mapping[str, Any]) -> None:
    _each(service.overdue_supplements(clock.day_of(clock.system_clock())), service.return_overdue)


def retire_items(_payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: service.retire_versions(now=clock.system_clock()))


def end_drafts(_payload: Mapping[str, Any]) -> None:
    today = clock.day_of(clock.system_clock())
    _each(retention.ended_drafts(today), retention.end_draft)
    _each(retention.ending_drafts(today), retention.remind_of_draft)


def forget_cases(_payload: Mapping[str, Any]) -> None:
    days = retention.kept_days(settings().kept_days_decided, settings().kept_days_undecided)
    _each(retention.forgettable_cases(days, clock.system_clock()), retention.forget_case)


def forget_resident(payload: Mapping[str, Any]) -> None:
    resident_id = int(payload["resident_id"])
    db.transaction(lambda: retention.forget_resident(resident_id, now=clock.system_clock()))


def clear_files(_payload: Mapping[str, Any]) -> None:
    """Delete what lies in the store and belongs to no case; a day is time enough for an upload to end."""
    store = FolderStore(settings().files_dir)
    found = store.older_than(clock.system_clock() - timedelta(days=1))
    while several := list(islice(found, FILES_AT_ONCE)):
        for address in attachments.unwanted(several):
            store.discard(address)


def _each(case_ids: list[int], act: Callable[..., object]) -> None:
    each_apart(case_ids, lambda one: db.transaction(partial(act, one, now=clock.system_clock())))


def recompute_limits(_payload: Mapping[str, Any]) -> None:
    """Reckon the limits of open cases anew after the calendar changed; a portion per transaction.

    Of a portion that fails each case is tried alone: one that cannot be reckoned holds up none of the others.
    """
    after, failed = 0, list[int]()
    while several := service.reckoned_before(after):
        try:
            _recompute(several)
        except Unavailable:
            raise
        except Exception:
            failed += several
        after = several[-1]
    each_apart(failed, lambda one: _recompute([one]))


def _recompute(several: Sequence[int]) -> None:
    db.transaction(lambda: service.recompute(several, now=clock.system_clock()))


def remind(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    if service.fit_hour(now):
        each_apart(
            service.due_reminders(clock.day_of(now)),
            lambda due: db.transaction(partial(service.remind, *due, now=clock.system_clock())),
        )


def print_paper(payload: Mapping[str, Any]) -> None:
    """Print a paper; printing it again changes nothing."""
    application_id, paper_id = int(payload["application_id"]), int(payload["paper_id"])
    found = service.paper(application_id, paper_id)
    pdf = to_pdf(as_html(found, base_url=settings().base_url, for_print=True))
    db.transaction(lambda: service.keep_print(application_id, paper_id, pdf))


def tell_desks(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    db.transaction(lambda: service.tell_desks(clock.day_of(now), now=now))


def roll_up(_payload: Mapping[str, Any]) -> None:
    now = clock.system_clock()
    db.transaction(lambda: service.roll_up(clock.day_of(now), now=now))


JOBS = (
    Job(service.ROLL_UP_JOB, roll_up, every=timedelta(minutes=30)),
    Job(service.PRINT_JOB, print_paper),
    Job(service.RECOMPUTE_JOB, recompute_limits, every=timedelta(minutes=10)),
    Job("applications.tell-desks", tell_desks, every=timedelta(hours=2)),
    Job("applications.remind", remind, every=timedelta(minutes=30)),
    Job("applications.end-intakes", end_intakes, every=timedelta(minutes=10)),
    Job("applications.end-supplements", end_supplements, every=timedelta(minutes=10)),
    Job("applications.retire-items", retire_items, every=timedelta(hours=6)),
    Job("applications.end-drafts", end_drafts, every=timedelta(hours=1)),
    Job("applications.forget-cases", forget_cases, every=timedelta(hours=6)),
    Job("applications.forget-resident", forget_resident),
    Job("applications.clear-files", clear_files, every=timedelta(hours=6)),
)
