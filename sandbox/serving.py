"""Serve two applications from one process on 127.0.0.1 and stop both at a signal."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

HOST = "127.0.0.1"
logger = logging.getLogger("sandbox")


class Handler(WSGIRequestHandler):
    """Names no software version and keeps the terminal quiet."""

    def version_string(self) -> str:
        return "sandbox"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        logger.debug("%s %s", self.requestline, code)


def listen(app: Flask, port: int) -> BaseWSGIServer:
    """Return a server bound to ``port`` on this machine only; 0 takes a free one."""
    return make_server(HOST, port, app, threaded=True, request_handler=Handler)


def start(server: BaseWSGIServer, poll_seconds: float = 0.2) -> threading.Thread:
    """Serve in a thread of its own; ``server.shutdown()`` ends it within ``poll_seconds``."""
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": poll_seconds}, daemon=True
    )
    thread.start()
    return thread


def run(servers: list[BaseWSGIServer], stopping: threading.Event) -> None:
    """Serve until SIGTERM or SIGINT, then wake whatever waits on ``stopping`` and close the sockets."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    threads = [start(server) for server in servers]
    stopping.wait()
    for server in servers:
        server.shutdown()
    for thread in threads:
        thread.join()
