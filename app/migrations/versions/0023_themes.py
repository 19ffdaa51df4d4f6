"""Themes: several items as one matter, applied for together."""

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    pass
