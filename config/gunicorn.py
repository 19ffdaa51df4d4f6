"""gunicorn's settings: threads, because requests wait for the database and little else."""

import os

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


def on_starting(_server: object) -> None:
    """Stop before the port is bound when the secrets are missing; commands may do without them."""
    Settings.from_env().demand_secrets()
