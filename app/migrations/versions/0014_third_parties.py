"""Third-party applications: keys, scopes, quota, consent, signed requests and webhooks."""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Nothing yet."""
