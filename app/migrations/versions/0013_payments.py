"""Payments at a platform: orders of ours and the notifications about them."""

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Nothing yet."""
