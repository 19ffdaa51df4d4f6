from sqlalchemy import delete, update

from app.core import audit, db
from app.core.audit import AuditHead, AuditLine


def three_lines():
    for number in range(3):
        audit.record("system", f"step-{number}", "page", 7, {"名称": "户政"})


def test_an_untouched_trail_is_whole(app, given):
    given(three_lines)
    given(three_lines)

    with app.app_context():
        assert list(audit.verify()) == []
        assert [entry.action for entry in audit.history("page", 7)][:2] == ["step-2", "step-1"]


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
