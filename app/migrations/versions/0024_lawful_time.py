"""Versions of the working calendar, reminders, recomputed limits, second persons."""

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    pass
