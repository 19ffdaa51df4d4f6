"""The hall's own prober against the bench's targets: `python -m bench.probe_process PORT PLAIN DNS CA`.

Everything is the prober's but its name server and its trusted roots. Once a second it writes a line of
JSON: the verdicts of the looks stored since, and how late the last thousand looks began.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Sequence

from app import create_app
from app.monitoring import service
from app.monitoring.prober import Desk
from config.settings import Settings
from mobile_pages.guard import Policy
from mobile_pages.probe.base import ProbeResult, ProbeTarget
from mobile_pages.probe.dns import DnsResolver
from mobile_pages.probe.http import HttpProber
from mobile_pages.probe.runner import Prober, serve
from mobile_pages.probe.runner import Settings as Behaviour


def main(port: int, plain: int, dns_port: int, ca_file: str) -> None:
    settings = Settings.from_env()
    app = create_app(settings)
    terms = service.terms(settings)
    policy = Policy.allowing(
        [("127.0.0.1/32", port), ("127.0.0.2/32", port), ("127.0.0.1/32", plain)], test_or_demo=True
    )

    desk = Desk(app, "bench", terms, lambda: prober.stats())

    def store(results: Sequence[ProbeResult]) -> None:
        desk.store(results)
        told = {
            "verdicts": Counter(f"{one.verdict} {one.cause}".strip() for one in results),
            "looks": sum(one.cause != "missed" for one in results),
        }
        print(json.dumps(told), flush=True)

    canary = ProbeTarget("canary:0", f"http://127.0.0.1:{plain}/", terms.interval_seconds)
    prober = Prober(
        lambda: HttpProber(policy, resolve=DnsResolver([f"127.0.0.1:{dns_port}"]), ca_file=ca_file),
        desk.load,
        store,
        desk.tell_outage,
        Behaviour(references=(canary,), reload_seconds=4, drain_seconds=0.1, rule=terms.rule),
    )
    stopped = threading.Event()
    telling = threading.Thread(target=tell_lag, args=(prober, stopped))
    telling.start()
    serve(prober)
    stopped.set()
    telling.join()


def tell_lag(prober: Prober, stopped: threading.Event) -> None:
    """Write every second how late the last thousand looks began, whether they have ended or not."""
    while not stopped.wait(1.0):
        stats = prober.stats()
        told = {"lag_p50": stats.lag_p50_ms, "lag_p99": stats.lag_p99_ms, "running": stats.running}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
