"""Catalogue: what its editors and reviewers keep."""

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    pass
