from concurrent.futures import ThreadPoolExecutor, wait

from sqlalchemy import delete, update

from app.core import audit, db
from app.core.audit import AuditHead, AuditLine
from app.core.checkpoints import read_checkpoints, write_checkpoint


def three_lines():
    for number in range(3):
        audit.record("system", f"step-{number}", "page", 7, {"名称": "户政"})


def test_an_untouched_trail_is_whole(app, given):
    given(three_lines)
    given(three_lines)

    with app.app_context():
        assert list(audit.verify()) == []
        assert [entry.action for entry in audit.history("page", 7)][:2] == ["step-2", "step-1"]


def test_many_lines_of_one_transaction_follow_each_other_in_their_chains(app, given):
    def work():
        for number in range(60):
            audit.record("system", f"act-{number}", "thing", number % 20)

    given(work)
    given(work)

    with app.app_context():
        faults = list(audit.verify())
        acts = [line.action for line in audit.history("thing", 7)]

    assert faults == []
    assert acts == ["act-47", "act-27", "act-7"] * 2


def test_a_changed_line_is_found(app, given):
    given(three_lines)
    given(lambda: db.writing().execute(update(AuditLine).where(AuditLine.number == 2).values(actor="x")))

    with app.app_context():
        assert [(fault.number, fault.problem) for fault in audit.verify()] == [(2, "was changed")]


def test_a_line_cut_out_is_found(app, given):
    given(three_lines)
    given(lambda: db.writing().execute(delete(AuditLine).where(AuditLine.number == 2)))

    with app.app_context():
        assert "line is missing" in {fault.problem for fault in audit.verify()}


def test_a_trail_cut_short_with_its_head_is_found_by_the_checkpoint(app, given):
    given(three_lines)
    with app.app_context():
        point = audit.heads()

    given(lambda: db.writing().execute(delete(AuditLine)))
    given(lambda: db.writing().execute(delete(AuditHead)))

    with app.app_context():
        assert list(audit.verify()) == []
        assert [fault.problem for fault in audit.verify([point])] == ["line of a checkpoint is missing"]


def test_two_transactions_may_begin_a_chain_in_the_same_moment(app, given):
    with ThreadPoolExecutor(1) as other:

        def first():
            audit.record("system", "first", "page", 7)
            audit._write_pending(db.writing())  # its lines stand, uncommitted, when the second comes
            second = other.submit(given, audit.record, "system", "second", "page", 7)
            wait([second], timeout=0.5)
            return second

        given(first).result()

    with app.app_context():
        assert list(audit.verify()) == []
        assert [entry.action for entry in audit.history("page", 7)] == ["second", "first"]


def test_a_trail_that_grows_while_it_is_verified_is_whole(app, given):
    given(three_lines)

    with app.app_context():
        faults = audit.verify()
        reading = db.session().scalars

        def reading_slowly(query, *details):
            found = list(reading(query, *details))
            given(three_lines)
            return found

        db.session().scalars = reading_slowly

        assert list(faults) == []


def test_the_newest_lines_come_first_whichever_chain_they_stand_in(app, given):
    for number in range(12):
        given(audit.record, "system", f"step-{number}", "page", number % 3)

    with app.app_context():
        assert [entry.action for entry in audit.recent(limit=5)] == [
            f"step-{number}" for number in range(11, 6, -1)
        ]


def test_an_empty_trail_has_no_newest_lines(app, tables):
    with app.app_context():
        assert audit.recent() == []


def test_a_checkpoint_line_torn_off_by_a_power_cut_is_passed_over(app, given, tmp_path):
    given(three_lines)
    file = tmp_path / "checkpoints.jsonl"
    with app.app_context():
        write_checkpoint(file)
        whole = read_checkpoints(file)
    with file.open("a") as torn:
        torn.write('{"at": "2026-11-2')

    assert read_checkpoints(file) == whole


def test_a_doctored_checkpoint_file_is_said_to_be_unreadable(app, tables, tmp_path):
    file = tmp_path / "checkpoints.jsonl"
    file.write_text("doctored\n")

    said = app.test_cli_runner().invoke(args=["audit", "verify", "--checkpoints", str(file)])

    assert said.exit_code == 1
    assert "unreadable" in said.output
