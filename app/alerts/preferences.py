"""How a member of staff wants to be told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from app.alerts.domain import EMAIL_MAX, STAFF_WAYS, NewSettings, Topic, Way
from app.alerts.models import Preference
from app.alerts.sealing import EMAIL_FIELD
from app.core import audit, db, vault
from app.core.errors import Invalid, Stale
from app.core.quiet import MINUTES_A_DAY

# One mailbox in ASCII, nothing that a header or an SMTP command could take for more.
_MAILBOX = re.compile(
    r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}"
)
AUDIT_OBJECT = "staff"


@dataclass(frozen=True, slots=True)
class SettingsView:
    """Somebody's settings; ``version`` is 0 while they are the defaults."""

    wanted: NewSettings
    version: int


def settings_of(staff_id: int) -> SettingsView:
    """Return a person's settings."""
    row = db.session().get(Preference, staff_id, populate_existing=True)
    return _view(row) if row is not None else SettingsView(NewSettings(), 0)


def change_settings(
    staff_id: int, wanted: NewSettings, *, now: datetime, version: int | None = None
) -> SettingsView:
    """Change a person's own settings.

    Args:
        version: the one that was seen; None overwrites whatever is there.

    Raises:
        Invalid: a value breaks a rule; ``fields`` says which.
        Stale: they were changed since ``version``.
    """
    _check(wanted)
    row = db.writing().get(Preference, staff_id, with_for_update=True)
    if version is not None and version != (row.version if row else 0):
        raise Stale
    if row is None:
        row = Preference(staff_id=staff_id, version=0, email_token=None)
        db.writing().add(row)
    row.ways = [way.value for way in wanted.ways]
    row.quiet_from, row.quiet_until = wanted.quiet_from, wanted.quiet_until
    row.digest, row.min_severity = wanted.digest, wanted.min_severity
    row.muted = sorted(set(wanted.muted))
    row.version += 1
    row.changed_at = now
    _keep_email(row, wanted.email)
    db.writing().flush()
    detail = {"ways": row.ways, "digest": row.digest.value, "email": bool(wanted.email)}
    audit.record(f"staff:{staff_id}", "alert_settings.change", AUDIT_OBJECT, staff_id, detail)
    return _view(row)


def _check(wanted: NewSettings) -> None:
    problems: dict[str, list[str]] = {}
    if len(set(wanted.ways)) != len(wanted.ways) or not set(wanted.ways) <= set(STAFF_WAYS):
        problems["ways"] = ["每种方式最多选一次"]
    hours = (wanted.quiet_from, wanted.quiet_until)
    if (hours[0] is None) is not (hours[1] is None):
        problems["quiet_from"] = ["开始和结束要一起填"]
    elif hours[0] is not None and hours[0] == hours[1]:
        problems["quiet_from"] = ["开始和结束不能相同"]
    elif any(one is not None and not 0 <= one < MINUTES_A_DAY for one in hours):
        problems["quiet_from"] = ["不是一天里的时间"]
    if not set(wanted.muted) <= set(Topic):
        problems["muted"] = ["没有这种告警"]
    if wanted.email and (len(wanted.email) > EMAIL_MAX or not _MAILBOX.fullmatch(wanted.email)):
        problems["email"] = ["不是有效的邮箱地址"]
    if problems:
        raise Invalid("告警设置有误", fields=problems)


def _keep_email(row: Preference, email: str) -> None:
    if row.email_token is not None:
        if vault.unseal(EMAIL_FIELD, row.email_token) == email:
            return
        vault.forget(row.email_token)
    row.email_token = vault.seal(EMAIL_FIELD, email) if email else None


def _view(row: Preference) -> SettingsView:
    wanted = NewSettings(
        ways=tuple(Way(one) for one in row.ways),
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
        digest=row.digest,
        min_severity=row.min_severity,
        muted=tuple(row.muted),
        email=vault.unseal(EMAIL_FIELD, row.email_token) if row.email_token else "",
    )
    return SettingsView(wanted, row.version)
