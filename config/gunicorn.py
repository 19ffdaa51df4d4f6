"""gunicorn's settings: threads, because requests wait for the database and little else."""

import os
import shutil
from pathlib import Path
from typing import Any

from config.settings import Settings

bind = f"{os.environ.get('HALL_BIND', '127.0.0.1')}:{os.environ.get('HALL_PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("HALL_WEB_WORKERS", "1"))
threads = int(os.environ.get("HALL_WEB_THREADS", "8"))
timeout = 30
graceful_timeout = 10
keepalive = 5
limit_request_line = 8190
control_socket_disable = True
forwarded_allow_ips = os.environ.get("HALL_FORWARDED_ALLOW_IPS", "127.0.0.1")


if workers > 1 and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    # Each worker writes its figures to files there; the client library reads the variable when the
    # application is imported, which is after this file.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(Path(os.environ.get("HALL_VAR_DIR", "var")) / "prometheus")


def on_starting(_server: object) -> None:
    """Stop before the port is bound when the secrets are missing; commands may do without them."""
    Settings.from_env().demand_secrets()
    figures = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if figures:
        shutil.rmtree(figures, ignore_errors=True)  # figures of an earlier run would be added up
        Path(figures).mkdir(parents=True)


def child_exit(_server: object, worker: Any) -> None:
    """Drop the gauges of a worker that has ended; its counters stay."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
