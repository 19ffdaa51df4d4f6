"""Search: the items of a term, those first to whom it matters most."""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_index("ix_item_term_weight", "item_term", ["term", "weight", "directory_id"])
