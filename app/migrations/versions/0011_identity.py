"""Residents: who signs in, through which channels, and for how long."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Nothing yet."""
