"""Taking alerts in: two rows in the caller's transaction, everything else happens later."""

from __future__ import annotations

from app.alerts.domain import GROUP_KEY_MAX, HOLD, LINK_MAX, TEXT_MAX, TITLE_MAX, TOPIC_MAX, Alert
from app.alerts.models import AlertRow
from app.core import clock, db, outbox

GATHER_JOB = "alerts.gather"


def raise_alert(alert: Alert) -> None:
    """Note that people should know of something, in the running transaction.

    They are told once that transaction is committed: alerts of the same moment together, repeated ones
    once, each recipient as he or she wishes. Too long a title or text is cut.

    Raises:
        ValueError: the topic or the group key is empty or too long.
    """
    if not 1 <= len(alert.topic) <= TOPIC_MAX or not 1 <= len(alert.group_key) <= GROUP_KEY_MAX:
        raise ValueError("topic and group_key must have 1 to 40 and 1 to 120 characters")
    db.writing().add(
        AlertRow(
            topic=str(alert.topic),
            severity=alert.severity,
            audience=int(alert.audience),
            title=alert.title[:TITLE_MAX],
            text=alert.text[:TEXT_MAX],
            body_id=alert.body_id,
            city_code=alert.city_code,
            group_key=alert.group_key,
            link=alert.link[:LINK_MAX],
            at=alert.at,
        )
    )
    # One job per stretch of HOLD: it runs that long after the first alert of the stretch and takes all.
    now = clock.system_clock()
    stretch = int(now.timestamp() // HOLD.total_seconds())
    outbox.enqueue(GATHER_JOB, dedup_key=f"{GATHER_JOB}@{stretch}", run_at=now + HOLD)
