"""Start the whole hall on this machine: web, worker, prober and, in demo mode, the sandbox.

Secrets are made at the first start and kept in ``var/secrets.env`` (mode 0600); with
``HALL_ENV=production`` they must come from the environment instead. Ctrl-C stops every process.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from honcho.manager import Manager
from honcho.printer import Printer

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
READY_WITHIN_SECONDS = 60
sys.path.insert(0, str(ROOT))
from config.settings import Settings, SettingsError  # noqa: E402

stopping = threading.Event()


class Quiet(Printer):
    """Honcho's chatter goes to the log; the terminal shows what a person needs."""

    def write(self, message: object) -> None:
        with (var_dir() / "log" / "processes.log").open("a", encoding="utf-8") as log:
            log.write(f"{getattr(message, 'name', '')}: {getattr(message, 'data', '')}".rstrip() + "\n")


def var_dir() -> Path:
    return Path(os.environ.get("HALL_VAR_DIR", ROOT / "var")).absolute()


def main() -> int:
    os.chdir(ROOT)
    demo = os.environ.get("HALL_ENV", "demo") == "demo"
    (var_dir() / "log").mkdir(parents=True, exist_ok=True)
    environment = complete_environment(demo=demo)
    problems = number_problems(environment)
    try:
        Settings.from_env(environment)
    except SettingsError as error:
        problems += str(error).split("; ")
    if problems:
        print("The hall does not start. In its environment:")
        print("\n".join(f"  {problem}" for problem in problems))
        return 1
    ports = [environment["HALL_PORT"]]
    if demo:
        ports += [environment["HALL_SANDBOX_PORT"], environment["HALL_SAMPLE_PAGES_PORT"]]
    busy = [port for port in ports if in_use(int(port))]
    if busy:
        print(f"Port {', '.join(busy)} is in use on 127.0.0.1. Is the hall running already?")
        print("Choose others with HALL_PORT, HALL_SANDBOX_PORT, HALL_SAMPLE_PAGES_PORT.")
        return 1
    if not prepare(environment, demo=demo):
        return 1
    return serve(environment, demo=demo)


def number_problems(environment: dict[str, str]) -> list[str]:
    """Return what is wrong with the variables that only the processes' start reads."""
    most = {
        "HALL_PORT": 65535,
        "HALL_SANDBOX_PORT": 65535,
        "HALL_SAMPLE_PAGES_PORT": 65535,
        "HALL_WEB_WORKERS": 64,
        "HALL_WEB_THREADS": 256,
    }
    return [
        f"{name}: must be a whole number from 1 to {high}"
        for name, high in most.items()
        if name in environment and not (environment[name].isdecimal() and 1 <= int(environment[name]) <= high)
    ]


def complete_environment(*, demo: bool) -> dict[str, str]:
    """Return the environment of all processes: what is set, else the demo's defaults."""
    port = os.environ.get("HALL_PORT", "8000")
    sandbox_port = os.environ.get("HALL_SANDBOX_PORT", "8101")
    pages_port = os.environ.get("HALL_SAMPLE_PAGES_PORT", "8102")
    made = {
        "HALL_PORT": port,
        "HALL_VAR_DIR": str(var_dir()),
        "HALL_BASE_URL": f"http://127.0.0.1:{port}",
        "HALL_SANDBOX_PORT": sandbox_port,
        "HALL_SAMPLE_PAGES_PORT": pages_port,
        "PYTHONUNBUFFERED": "1",
        "FLASK_APP": "wsgi",
    }
    if demo:
        made |= {
            "HALL_ENV": "demo",
            "HALL_SANDBOX_URL": f"http://127.0.0.1:{sandbox_port}",
            "HALL_SAMPLE_PAGES_URL": f"http://127.0.0.1:{pages_port}",
            "HALL_OUTBOUND_ALLOW": f"127.0.0.1/32:{pages_port}",
            "HALL_PROBE_INTERVAL_SECONDS": "10",
            "HALL_DOWN_GRACE_SECONDS": "10",
            **own_secrets(var_dir() / "secrets.env"),
        }
    return {**made, **os.environ}


def own_secrets(path: Path) -> dict[str, str]:
    """Return this installation's secrets, made at the first start."""
    if not path.exists():

        def key() -> str:
            return base64.b64encode(secrets.token_bytes(32)).decode()

        lines = {
            "HALL_SECRET_KEY": secrets.token_urlsafe(48),
            "HALL_VAULT_KEYS": f"1:{key()}",
            "HALL_AUDIT_KEY": key(),
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in lines.items())
    pairs = (line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
    return dict(pairs)  # type: ignore[arg-type]


def in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def prepare(environment: dict[str, str], *, demo: bool) -> bool:
    steps = [["hall", "prepare"], *([["demo", "accounts"]] if demo else [])]
    return all(
        subprocess.run([BIN / "flask", *step], env=environment, check=False).returncode == 0 for step in steps
    )


def serve(environment: dict[str, str], *, demo: bool) -> int:
    logs = var_dir() / "log"
    commands = {
        "web": f"{BIN}/gunicorn -c config/gunicorn.py wsgi:application",
        "worker": f"{BIN}/flask jobs work",
        "prober": f"{BIN}/flask monitor run",
    }
    if demo:
        commands["sandbox"] = (
            f"{BIN}/python -m sandbox --config {var_dir()}/sandbox.json"
            f" --port {environment['HALL_SANDBOX_PORT']}"
            f" --pages-port {environment['HALL_SAMPLE_PAGES_PORT']}"
        )
    manager = Manager(Quiet())
    for name, command in commands.items():
        log = f"'{logs}/{name}.log'"
        # A heap for each of eight threads costs a web worker 5 MB more than two heaps and gains nothing.
        own = {"MALLOC_ARENA_MAX": "2", **environment} if name == "web" else environment
        manager.add_process(name, f"exec {command} >>{log} 2>&1", env=own, cwd=str(ROOT))
    announcing = threading.Thread(target=announce, args=(environment, demo))
    announcing.start()
    manager.loop()
    stopping.set()
    announcing.join()
    stopped_by_person = manager.returncode in {130, 143}
    if not stopped_by_person:
        print(f"A process ended by itself; see {logs}/*.log")
    print("The hall has stopped. The data is kept; `make run` starts it again.")
    return 0 if stopped_by_person else 1


def announce(environment: dict[str, str], demo: bool) -> None:
    """Say where everything is, once it answers."""
    base = environment["HALL_BASE_URL"]
    if not answers(f"{base}/readyz"):
        if not stopping.is_set():
            print(f"The web process does not answer; see {var_dir()}/log/web.log")
        return
    print(f"\n  广东省网上办事大厅手机版 is running (logs in {var_dir()}/log)\n")
    print(f"  residents' home   {base}/")
    print(f"  staff             {base}/staff/")
    print(f"  wall              {base}/wall")
    print(f"  API documentation {base}/api/docs")
    if demo:
        announce_demo(environment)
    print("\n  Ctrl-C stops everything; the data stays.\n", flush=True)


def announce_demo(environment: dict[str, str]) -> None:
    sandbox, pages = environment["HALL_SANDBOX_URL"], environment["HALL_SAMPLE_PAGES_URL"]
    print(f"  phone (sandbox)   {sandbox}/phone/")
    print(f"  sample pages      {pages}/")
    if not (answers(f"{sandbox}/phone/") and answers(f"{pages}/catalogue.json")):
        if not stopping.is_set():
            print(f"  The sandbox does not answer; see {var_dir()}/log/sandbox.log")
        return
    print("\n  One-time sign-in links (12 hours, demo only):", flush=True)
    beside(environment, "staff", "demo-links")
    beside(environment, "demo", "items")
    beside(environment, "demo", "alerts")
    beside(environment, "demo", "resident")
    beside(environment, "demo", "department")
    beside(environment, "demo", "seed")


def beside(environment: dict[str, str], *words: str) -> None:
    """Run a command of the hall beside its processes; it ends when they do."""
    if stopping.is_set():
        return
    with subprocess.Popen([BIN / "flask", *words], env=environment) as command:
        while command.poll() is None:
            if stopping.wait(0.1):
                command.terminate()
                return


def answers(url: str) -> bool:
    end = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < end and not stopping.wait(0.1):
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2):
            return True
    return False


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
