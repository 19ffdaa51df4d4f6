"""The only public face of alerts.

Functions that write need a running transaction.
"""

from app.alerts.domain import Alert, Audience, Severity, Topic
from app.alerts.raising import raise_alert

__all__ = ["Alert", "Audience", "Severity", "Topic", "raise_alert"]
