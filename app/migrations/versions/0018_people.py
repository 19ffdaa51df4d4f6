"""Residents are people: real names, enterprises, merged accounts, delegations."""

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    pass
