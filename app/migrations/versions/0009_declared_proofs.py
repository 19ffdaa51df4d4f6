"""What departments declare so that a machine can judge: signed-in page, tickets, files, leave to probe."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ADDRESSES = ("signed_in_url", "ticket_url", "expired_ticket_url")
_FILES = ("wechat_file", "wechat_file_text", "alipay_file")


def upgrade() -> None:
    with op.batch_alter_table("mobile_page", schema=None) as batch_op:
        for name in _ADDRESSES:
            batch_op.add_column(sa.Column(name, sa.String(length=500), nullable=False, server_default=""))
        for name in _FILES:
            batch_op.add_column(sa.Column(name, sa.String(length=100), nullable=False, server_default=""))
        batch_op.add_column(
            sa.Column("may_probe_paths", sa.Boolean(), nullable=False, server_default=sa.false())
        )
