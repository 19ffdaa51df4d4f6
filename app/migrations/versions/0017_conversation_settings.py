"""Conversations: settings of an account, its routes, hand-over to people."""

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Nothing yet."""
