"""What residents set on their phones: language, place, edition."""

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    pass
