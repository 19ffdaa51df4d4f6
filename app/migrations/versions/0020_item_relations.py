"""Catalogue: relations between items, scenes that lead to a variant."""

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    pass
