"""Which files are kept, and that nothing goes which anybody refers to."""

import itertools
import os
from datetime import timedelta

import pytest

from app.core import clock, db
from app.core.errors import NotFound
from app.mobile_access import jobs, service
from app.mobile_access.evidence import EvidenceFile, EvidenceType
from app.mobile_access.files import artifact_store
from app.mobile_access.models import CheckFile, CheckRun, Ruling
from app.mobile_access.service import CheckKind
from tests.app.mobile_access.builders import a_png
from tests.app.mobile_access.judged import a_result, an_online_page
from tests.builders import NOW

DAY = timedelta(days=1)
_heights = itertools.count(1)  # no two checks keep the same picture
LONG_AGO = clock.system_clock() - timedelta(days=200)


@pytest.fixture
def store(app):
    return artifact_store(app.extensions["hall_settings"].var_dir)


def a_check(app, given, page, *, now, picture=None):
    """Let a check of the page end with files of its own; return its id."""
    run = given(
        service.ask_recheck, page.id, CheckKind.WEEKLY, occasion=None, because="", actor="system", now=now
    )
    result = a_result(app, picture=picture or a_png(3, next(_heights)))
    given(service.record_check, run, result, now=now)
    return run


def files_of(app, run):
    with app.app_context():
        return [row.digest for row in db.session().query(CheckFile).filter_by(run_id=run)]


def age(store, days=2):
    """Make every file look as if it was written days ago."""
    then = (clock.system_clock() - days * DAY).timestamp()
    for folder in store.folders():
        for path in (store._folder / folder).iterdir():
            os.utime(path, (then, then))


def clear(app):
    with app.app_context():
        jobs.clear_files({})


def is_kept(store, digest):
    try:
        return bool(store.get(digest))
    except NotFound:
        return False


def test_the_latest_checks_keep_their_files_and_older_ones_lose_them(app, given, store):
    page = an_online_page(app, given, now=LONG_AGO)
    runs = [a_check(app, given, page, now=LONG_AGO + at * DAY) for at in range(1, 8)]
    files = [files_of(app, run) for run in runs]
    age(store)

    clear(app)

    kept = [all(is_kept(store, one) for one in some) for some in files]
    assert kept == [False, False, True, True, True, True, True]


def test_a_check_that_decided_a_review_keeps_its_files(app, given, store):
    page = an_online_page(app, given, now=LONG_AGO)
    with app.app_context():
        decided = db.session().query(CheckRun).one()
    for at in range(1, 8):
        a_check(app, given, page, now=LONG_AGO + at * DAY)
    age(store)

    clear(app)

    assert all(is_kept(store, one) for one in files_of(app, decided.id))


def test_young_checks_keep_their_files_however_many(app, given, store):
    now = clock.system_clock()
    page = an_online_page(app, given, now=now - 20 * DAY)
    runs = [a_check(app, given, page, now=now - at * DAY) for at in range(10, 1, -1)]
    age(store)

    clear(app)

    assert all(is_kept(store, one) for run in runs for one in files_of(app, run))


def test_a_file_shared_with_a_check_that_is_kept_stays(app, given, store):
    page = an_online_page(app, given, now=LONG_AGO)
    picture = a_png(7, 7)
    old = a_check(app, given, page, now=LONG_AGO + DAY, picture=picture)
    for at in range(2, 8):
        a_check(app, given, page, now=LONG_AGO + at * DAY, picture=picture)
    age(store)

    clear(app)

    assert files_of(app, old) == []
    assert is_kept(store, store.put(picture))


def test_what_a_ruling_refers_to_stays(app, given, store):
    page = an_online_page(app, given, now=LONG_AGO)
    proof = EvidenceFile(b"%PDF-1.4 %%EOF", "a.pdf", EvidenceType.PDF)
    digest = store.put(proof.content)
    given(lambda: db.writing().add(a_ruling(page, digest)))
    age(store)

    clear(app)

    assert is_kept(store, digest)


def a_ruling(page, digest):
    run = db.session().query(CheckRun).filter_by(page_id=page.id).one()
    return Ruling(
        page_id=page.id,
        run_id=run.id,
        code="MAS-A11-13",
        passed=True,
        self_declared=False,
        answers=[],
        note="",
        evidence=digest,
        evidence_name="a.pdf",
        evidence_type="application/pdf",
        actor="system",
        at=NOW,
    )


def test_files_that_nothing_refers_to_go_once_they_are_old(app, store, tables):
    orphan = store.put(b"written by a check that never ended")
    half = store._folder / orphan[:2] / f"{orphan}.abcd.part"
    half.write_bytes(b"half")

    clear(app)
    young = is_kept(store, orphan), half.exists()
    age(store)
    clear(app)

    assert young == (True, True)
    assert (is_kept(store, orphan), half.exists()) == (False, False)


def test_a_file_put_again_while_it_is_being_deleted_stays(store, monkeypatch):
    digest = store.put(b"wanted again")
    age(store)
    path = store._path(digest)
    rename = type(path).rename

    def put_first(self, target):
        monkeypatch.setattr(type(path), "rename", rename)
        store.put(b"wanted again")  # between the look at references and the deletion
        return rename(self, target)

    # The moment between two system calls cannot be had otherwise.
    monkeypatch.setattr(type(path), "rename", put_first)
    gone = store.discard(digest, unless_wanted_since=clock.system_clock() - DAY)

    assert (gone, store.get(digest)) == (False, b"wanted again")


def test_a_file_that_is_gone_already_is_no_error(store):
    assert store.discard("0" * 64, unless_wanted_since=NOW) is False


def test_a_check_without_its_files_says_so(app, given, store):
    page = an_online_page(app, given, now=LONG_AGO)
    runs = [a_check(app, given, page, now=LONG_AGO + at * DAY) for at in range(1, 8)]

    clear(app)

    with app.app_context():
        told = {run.id: run.files_forgotten_at is not None for run in db.session().query(CheckRun)}
    assert [told[run] for run in runs] == [True, True, False, False, False, False, False]
