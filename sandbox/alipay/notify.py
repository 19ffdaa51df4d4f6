"""Asynchronous notifications (异步通知): told at once, then again and again until the hall says ``success``.

What is signed leaves out ``sign`` and ``sign_type``. Source: the page on asynchronous notifications; the
number of a notification stays the same over all repeats, a redirect counts as failure.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import transport
from sandbox.alipay import signing
from sandbox.config import AlipayAccount
from sandbox.transport import Parcel
from sandbox.world import Delivery, World

BEIJING = timezone(timedelta(hours=8))
LADDER_SECONDS = (240, 600, 600, 3600, 7200, 21600, 54000)
_STRANGER: list[rsa.RSAPrivateKey] = []


def strangers_key() -> rsa.RSAPrivateKey:
    """Return a key that nobody has on record; made when first asked for."""
    if not _STRANGER:
        _STRANGER.append(rsa.generate_private_key(65537, 2048))
    return _STRANGER[0]


@dataclass(slots=True)
class Notifier:
    """Brings notifications to the hall."""

    world: World
    _held: dict[str, tuple[AlipayAccount, str, Parcel]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, account: AlipayAccount, url: str, told: Mapping[str, str]) -> list[str]:
        """Send a notification to ``url``; returns how the first attempts ended.

        What was not heard is sent again later, in the background.
        """
        parcel = self._parcel(account, told)
        switches, key = self.world.switches, account.key
        if switches.use(key, "reorder"):
            with self._lock:
                self._held[key] = (account, url, parcel)
            return ["held"]
        self.world.stopping.wait(switches.value(key, "delay_ms") / 1000)
        times = 2 if switches.use(key, "duplicate") else 1
        outcomes = [self._send(account, url, self._disturbed(account, parcel), 1) for _ in range(times)]
        with self._lock:
            held = self._held.pop(key, None)
        if held is not None:
            outcomes.append(self._send(*held, 1))
        if "answered" not in outcomes:
            threading.Thread(target=self._repeat, args=(account, url, parcel), daemon=True).start()
        return outcomes

    def _repeat(self, account: AlipayAccount, url: str, parcel: Parcel) -> None:
        for attempt, seconds in enumerate(LADDER_SECONDS, start=2):
            if self.world.stopping.wait(seconds * self.world.config.notify_scale):
                return
            if self._send(account, url, self._disturbed(account, parcel), attempt) == "answered":
                return

    def _parcel(self, account: AlipayAccount, told: Mapping[str, str]) -> Parcel:
        key = account.platform_private_key
        if self.world.switches.use(account.key, "wrong_signature"):
            key = strangers_key()
        moment = datetime.fromtimestamp(self.world.clock(), BEIJING).strftime("%Y-%m-%d %H:%M:%S")
        params = {
            "app_id": account.app_id,
            "notify_id": secrets.token_hex(17),
            "notify_time": moment,
            "charset": "utf-8",
            "version": "1.0",
            **{name: value for name, value in told.items() if value},
        }
        mark = signing.sign(key, signing.encode(signing.content(params), "UTF-8"))
        return _form({**params, "sign_type": account.sign_type, "sign": mark})

    def _disturbed(self, account: AlipayAccount, parcel: Parcel) -> Parcel:
        """Return what is really sent: the parcel, or what the switches make of it this once."""
        switches, key = self.world.switches, account.key
        if switches.use(key, "garbage"):
            return Parcel({}, secrets.token_bytes(40), parcel.content_type)
        params = signing.decode_form(parcel.body)
        if switches.use(key, "unsigned"):
            return _form({name: value for name, value in params.items() if name != "sign"})
        if switches.use(key, "replay_other_body"):
            return _form({**params, "total_amount": "0.01"})
        return parcel

    def _send(self, account: AlipayAccount, url: str, parcel: Parcel, attempt: int) -> str:
        answer = transport.post(url, parcel, self.world.config.answer_deadline_seconds)
        if isinstance(answer, str):
            outcome, status = answer, None
        else:
            heard = answer.status == 200 and answer.body == b"success"
            outcome, status = ("answered" if heard else "odd"), answer.status
        detail = "" if isinstance(answer, str) else answer.body[:40].decode("utf-8", "replace")
        now = self.world.clock()
        self.world.record(Delivery(account.key, now, "payment", attempt, status, outcome, detail))
        return outcome


def _form(params: Mapping[str, str]) -> Parcel:
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    return Parcel({}, signing.encode_form(params, "UTF-8"), kind)
