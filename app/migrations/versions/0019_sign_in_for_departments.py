"""OpenID Connect for departments, and the log of uses of personal facts."""

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    pass
