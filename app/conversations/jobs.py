from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.conversations import service
from app.core import clock, db


def send_reply(payload: Mapping[str, Any]) -> None:
    service.send_reply(payload)


def forget_old_messages(_payload: Mapping[str, Any]) -> None:
    db.transaction(lambda: service.forget_old_messages(clock.system_clock()))
