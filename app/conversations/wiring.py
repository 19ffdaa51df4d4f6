from datetime import timedelta

from app.conversations.callbacks import callbacks
from app.conversations.jobs import forget_old_messages, send_reply
from app.conversations.service import SEND_JOB
from app.core.capability import Capability
from app.core.outbox import Job

CAPABILITY = Capability(
    "conversations",
    callbacks=(callbacks,),
    jobs=(
        Job(SEND_JOB, send_reply),
        Job("conversations.forget-old-messages", forget_old_messages, every=timedelta(hours=6)),
    ),
)
