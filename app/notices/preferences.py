"""How residents want to be told: which channel first, which not at all, and when not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import update

from app.channel_accounts import service as channel_accounts
from app.core import db
from app.core.errors import Invalid, Stale
from app.core.quiet import MINUTES_A_DAY, Quiet
from app.identity import service as identity
from app.notices.domain import Settings, Topic
from app.notices.models import Preference


def settings(resident_id: int) -> Settings:
    """Return how a resident wants to be told; the defaults for who never said."""
    row = db.session().get(Preference, resident_id, populate_existing=True)
    if row is None:
        return Settings()
    quiet = None
    if row.quiet_from is not None and row.quiet_until is not None:
        quiet = Quiet(row.quiet_from, row.quiet_until)
    muted = {topic: tuple(kinds) for topic, kinds in row.muted.items()}
    return Settings(tuple(row.channels), quiet, muted, row.version)


def change_settings(resident_id: int, wanted: Settings, *, version: int, now: datetime) -> Settings:
    """Replace a resident's settings.

    Notices with legal effect (送达) are sent whatever is muted; only the order of channels moves them.

    Args:
        version: what the resident saw; 0 before the first change.

    Raises:
        Invalid: an unknown topic or channel, one given twice, or quiet hours that are none.
        Stale: changed meanwhile, on another phone.
    """
    _check(wanted)
    quiet = wanted.quiet
    values = {
        "channels": list(wanted.channels),
        "quiet_from": quiet.starts if quiet else None,
        "quiet_until": quiet.ends if quiet else None,
        "muted": {topic: sorted(kinds) for topic, kinds in wanted.muted.items() if kinds},
        "changed_at": now,
    }
    if version == 0:
        fresh = {"resident_id": resident_id, "version": 1, **values}
        made = db.writing().execute(db.insert_ignoring(Preference), fresh)
        if made.rowcount != 1:  # type: ignore[attr-defined]
            raise Stale
    else:
        changed = db.writing().execute(
            update(Preference)
            .where(Preference.resident_id == resident_id, Preference.version == version)
            .values(version=version + 1, **values)
            .execution_options(synchronize_session=False)
        )
        if changed.rowcount != 1:  # type: ignore[attr-defined]
            raise Stale
    return settings(resident_id)


def opt_out(resident_id: int, topic: Topic, kind: str, *, now: datetime) -> Settings:
    """Turn a topic off on one kind of channel; nothing happens when it is off already.

    Raises:
        Invalid: unknown kind of channel.
        Stale: the resident's settings changed in this moment.
    """
    known = settings(resident_id)
    off = known.muted.get(topic.value, ())
    if kind in off:
        return known
    muted: Mapping[str, tuple[str, ...]] = {**known.muted, topic.value: (*off, kind)}
    wanted = Settings(known.channels, known.quiet, muted)
    return change_settings(resident_id, wanted, version=known.version, now=now)


def channel_kinds() -> dict[str, str]:
    """Return the kinds of channels notices may go out on, with their names for people."""
    return {kind: description.label for kind, description in channel_accounts.kinds().items()}


def bound_kinds(resident_id: int) -> dict[str, str]:
    """Return the kinds of channels a resident is bound to, with their names for people."""
    labels = channel_kinds()
    bound = {one.kind for one in identity.addresses(resident_id)}
    return {kind: label for kind, label in labels.items() if kind in bound}


def _check(wanted: Settings) -> None:
    known = channel_kinds()
    problems: dict[str, str] = {}
    if len(set(wanted.channels)) != len(wanted.channels) or not set(wanted.channels) <= set(known):
        problems["channels"] = "有不认识或重复的渠道"
    if not set(wanted.muted) <= {topic.value for topic in Topic}:
        problems["muted"] = "没有这种通知"
    elif not {kind for kinds in wanted.muted.values() for kind in kinds} <= set(known):
        problems["muted"] = "没有这种渠道"
    if wanted.quiet is not None and not _is_quiet(wanted.quiet):
        problems["quiet_from"] = "开始和结束不能相同"
    if problems:
        raise Invalid("设置有误", fields=problems)


def _is_quiet(quiet: Quiet) -> bool:
    inside = all(0 <= minute < MINUTES_A_DAY for minute in (quiet.starts, quiet.ends))
    return inside and quiet.starts != quiet.ends
