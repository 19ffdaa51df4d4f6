"""Channels: the inbound round and Alipay's signatures beside two libraries; callbacks over HTTP; tokens.

`python -m bench.channels` alone. Ratios are of CPU seconds, in slices that take turns.
"""

from __future__ import annotations

import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl

from alipay import AliPay
from sqlalchemy import func, select
from wechatpy import create_reply, parse_message

from app import create_app
from app.channel_accounts import service as channel_accounts
from app.conversations.models import InboundMessage
from app.core import clock, db
from bench import callbacks, published, token_storm
from bench.callbacks import KEY, percentile, send, wire
from bench.load import cpu_seconds, rss_mb
from bench.servers import Server, gunicorn
from channels.alipay.inbound import read_parameters
from channels.base import AccountConfig, InboundRequest, Reply
from config.settings import Settings
from tests import mariadb
from tests.builders import an_environment
from tests.channels import platform_alipay, platform_wechat
from tests.channels.builders import an_adapter

ROUNDS = 41
SLICE = 120
SAID = "您好，已收到。"
SMALL, LARGE = "户口", "户" * 1250
WORDS = ("户口", "社保", "公积金", "驾驶证", "护照", "居住证", "入学", "医保", "个税", "火星签证")
RATE, SECONDS = 100, 15
HARD_RATE, HARD_SECONDS = 330, 15
MOST_P99_MS, LEAST_PER_SECOND = 100, 300
INBOUND_RATIO, VERIFY_RATIO = 2.5, 20.0
TIMES = 25
PROCESSES, SENDS = 8, 25


def run() -> None:
    """Print every figure."""
    inbound()
    verify()
    with tempfile.TemporaryDirectory(prefix="hall-channels-") as folder:
        _steady(Path(folder))
    missing = mariadb.missing()
    if missing:
        print(f"callbacks on MariaDB: not run, {missing}")
        return
    with mariadb.server() as url, tempfile.TemporaryDirectory(prefix="hall-channels-") as folder:
        _hard(url, Path(folder))
        storm(url, Path(folder))


def inbound() -> None:
    """Verify, decrypt, parse, reply, encrypt: the same message by the hall's adapter and by wechatpy."""
    print("inbound round of WeChat per CPU second, beside wechatpy on the same message:")
    with an_adapter(platform_wechat) as adapter:
        for content in (SMALL, LARGE):
            request = platform_wechat.text(content)
            args = {name: values[0] for name, values in parse_qs(request.query_string.decode()).items()}
            body, crypto = request.body.decode(), platform_wechat.crypto()

            def ours() -> None:
                envelope = adapter.open(request)  # noqa: B023  called in this round only
                adapter.parse(envelope)
                adapter.seal(envelope, Reply(text=SAID))

            def theirs() -> None:
                xml = crypto.decrypt_message(body, args["msg_signature"], args["timestamp"], args["nonce"])  # noqa: B023
                reply = create_reply(SAID, parse_message(xml))
                crypto.encrypt_message(reply.render(), args["nonce"], args["timestamp"])  # noqa: B023

            _compare(f"{len(request.body):,} bytes", ours, theirs, INBOUND_RATIO)


def verify() -> None:
    """Verify one and the same asynchronous notification of Alipay, parsed from its form by ours only."""
    print("Alipay's notification verified per CPU second, beside python-alipay-sdk's verify:")
    body = platform_alipay.notification(out_trade_no="A20261122", total_amount="0.01")
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
    signature = fields.pop("sign")
    sdk = AliPay(
        appid=platform_alipay.APP_ID,
        app_private_key_string=platform_alipay.private_pem(platform_alipay.APP_KEY, "PKCS1"),
        alipay_public_key_string=platform_alipay.public_pem(platform_alipay.PLATFORM_KEY),
    )
    with an_adapter(platform_alipay) as adapter:
        theirs_keys = adapter.credentials.theirs
        request = InboundRequest("POST", b"", {}, body)

        def ours() -> None:
            read_parameters(request).check(theirs_keys, left_out=("sign_type",))

        def theirs() -> None:
            if not sdk.verify(dict(fields), signature):
                raise RuntimeError("python-alipay-sdk refuses the notification")

        _compare(f"{len(body):,} bytes", ours, theirs, VERIFY_RATIO)


def _compare(name: str, ours: Callable[[], None], theirs: Callable[[], None], wanted: float) -> None:
    ours(), theirs()
    gc.collect()
    pairs = [(_cpu(ours), _cpu(theirs)) for _ in range(ROUNDS)]
    ratios = sorted(slow / fast for fast, slow in pairs)
    fast, slow = statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)
    print(
        f"  {name:14} {statistics.median(ratios):5.2f}x  (asked {wanted:g}x; {ratios[ROUNDS // 10]:.2f} to "
        f"{ratios[-ROUNDS // 10]:.2f}; {SLICE / fast:,.0f} and {SLICE / slow:,.0f} a second)"
    )


def _cpu(work: Callable[[], None]) -> float:
    began = time.process_time()
    for _ in range(SLICE):
        work()
    return time.process_time() - began


def fill(environment: Mapping[str, str]) -> None:
    """Make an empty hall with published pages, items aside, and the account that messages come to."""
    published.fill(Settings.from_env(environment))
    app = create_app(Settings.from_env(environment))
    with app.app_context():
        db.transaction(lambda: _add(platform_wechat.config()))
    app.extensions["hall_db"].dispose()


def counted(environment: Mapping[str, str]) -> tuple[int, int]:
    """Return how many messages and how many contacts there are."""
    app = create_app(Settings.from_env(environment))
    with app.app_context():
        rows = db.session().scalar(select(func.count()).select_from(InboundMessage)) or 0
        answered = select(func.count()).where(InboundMessage.answer_body.is_not(None))
        found = rows, db.session().scalar(answered) or 0
    app.extensions["hall_db"].dispose()
    return found


def _add(config: AccountConfig) -> None:
    channel_accounts.create_account(
        kind=config.kind,
        key=KEY,
        name="bench",
        values={**config.settings, **config.secrets},
        actor="bench",
        now=clock.system_clock(),
    )


def _environment(url: str, folder: Path, workers: int) -> Mapping[str, str]:
    return an_environment(
        DATABASE_URL=url,
        HALL_VAR_DIR=str(folder),
        HALL_TRUSTED_HOSTS="127.0.0.1",
        HALL_WEB_WORKERS=str(workers),
    )


def _batch(port: int, count: int, first: int) -> list[bytes]:
    """Return ``count`` different messages of what residents ask, with ids from ``first``."""
    made = [callbacks.messages(1, first + number, WORDS[number % len(WORDS)])[0] for number in range(count)]
    return [wire(port, message) for message in made]


def _warm(server: Server, first: int) -> None:
    send(server.port, _batch(server.port, 60, first), per_second=60, connections=8)


def _steady(folder: Path) -> None:
    environment = _environment(f"sqlite:///{folder}/hall.sqlite", folder, 1)
    fill(environment)
    with (
        gunicorn("wsgi:application", environment, path="/healthz") as hall,
        gunicorn("bench.peers.wechatpy_flask:application", environment) as peer,
    ):
        print(f"callbacks over HTTP on SQLite at {RATE} messages a second, load {os.getloadavg()[0]:.1f}:")
        _warm(hall, 1)
        _warm(peer, 1)
        count = RATE * SECONDS
        _report("the hall", hall, _batch(hall.port, count, 1001), RATE, MOST_P99_MS)
        _report("wechatpy + Flask, bare", peer, _batch(peer.port, count, 1001), RATE, 0)
    print(f"  {counted(environment)[0] - 60:,} of {count:,} messages kept, once each")


def _hard(url: str, folder: Path) -> None:
    environment = _environment(url, folder, 2)
    fill(environment)
    with gunicorn("wsgi:application", environment, path="/healthz") as hall:
        print(f"callbacks on MariaDB, two workers, load {os.getloadavg()[0]:.1f}:")
        _warm(hall, 1)
        count = HARD_RATE * HARD_SECONDS
        batch = _batch(hall.port, count, 1001)
        twice = [one for one in batch for _ in range(1 + (hash(one) % 10 == 0))]
        began = time.perf_counter()
        answers = send(hall.port, twice, per_second=HARD_RATE, connections=24)
        rate = len(answers) / (time.perf_counter() - began)
        kept, answered = counted(environment)
        print(
            f"  {rate:5.0f} messages a second (asked {LEAST_PER_SECOND}), "
            f"p99 {percentile(answers, 99):.0f} ms, {sum(answer.status != 200 for answer in answers)} refused"
        )
        print(
            f"  {len(twice):,} requests with {count:,} messages, {len(twice) - count} of them repeats: "
            f"{kept - 60:,} kept, {answered - 60:,} answered"
        )
        before = counted(environment)[0]
        same = callbacks.at_once(hall.port, _batch(hall.port, 1, 900_000)[0], TIMES)
        bodies = {(answer.status, answer.body) for answer in same}
        print(
            f"  one message {TIMES} times at once: {counted(environment)[0] - before} effect, "
            f"{len(bodies)} answer, slowest {max(answer.late_ms for answer in same):.0f} ms"
        )


def _report(name: str, server: Server, batch: list[bytes], rate: int, most_ms: int) -> None:
    cpu = cpu_seconds(server.pids)
    answers = send(server.port, batch, per_second=rate, connections=16)
    cost = (cpu_seconds(server.pids) - cpu) / len(batch) * 1000
    asked = f" (asked {most_ms})" if most_ms else ""
    failed = sum(answer.status != 200 for answer in answers)
    print(
        f"  {name:23} p50 {percentile(answers, 50):5.1f}, p99 {percentile(answers, 99):6.1f} ms{asked}, "
        f"{cost:.2f} ms of CPU, {failed} refused, {rss_mb(server.worker):.0f} MB"
    )


def storm(url: str, folder: Path) -> None:
    """Let many processes send while the platform drops their token; print what came of it."""
    seen = token_storm.run(_environment(url, folder, 1), PROCESSES, SENDS)
    failed = sum(outcome != "accepted" for outcome in seen.outcomes)
    print(
        f"token storm: {PROCESSES} processes, {len(seen.outcomes)} sends, the token dropped half way: "
        f"{seen.fetches} fetches (asked: the first and one more), {failed} failed, {seen.arrived} arrived"
    )


if __name__ == "__main__":
    print(f"load {os.getloadavg()[0]:.1f} before the run")
    run()
