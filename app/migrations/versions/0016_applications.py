"""Applications that residents make: draft, submission, progress."""

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Nothing yet."""
