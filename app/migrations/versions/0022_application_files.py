"""Applications: files, variants, agents, where prefilled answers came from."""

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    pass
