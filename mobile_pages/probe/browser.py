"""Looking at a page in a browser, at a slower pace and beside the prober: a process of its own.

The browser's driver needs a thread and memory of its own; here it gets a process, started when the
first rendered page comes due and ended with us: it reads one request a line and stops when its
input ends, also when we were killed. One page at a time; who waits too long is missed, not queued.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mobile_pages.guard import Policy
from mobile_pages.probe.base import Cause, Phases, ProbeResult, Verdict
from mobile_pages.probe.targets import RenderedTarget

log = logging.getLogger(__name__)

PAGE_SECONDS = 45.0
"""For one page, starting the browser included; after that the process is ended."""

PATIENCE_SECONDS = 300.0
WORKER = "mobile_pages.probe.rendering"
_LINE_MOST = 256 * 1024


class RenderedProber:
    """Looks at rendered pages, one at a time. Belongs to the event loop it is used in; close it there.

    Args:
        patience_seconds: how long a look may wait for those before it.
        page_seconds: how long one may take.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        page_seconds: float = PAGE_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._policy = policy
        self._patience_seconds = patience_seconds
        self._page_seconds = page_seconds
        self._now = now
        self._turn = asyncio.Lock()
        self._worker: asyncio.subprocess.Process | None = None

    async def look(self, target: RenderedTarget) -> ProbeResult:
        """Look once. Whatever the page or the browser does is told in the result, never raised."""
        started_at = self._now()
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._turn.acquire()
        except TimeoutError:
            return _unknown(target, started_at, Cause.MISSED, "浏览器探测任务繁忙，本次未能按时探测。")
        try:
            started_at = self._now()
            async with asyncio.timeout(self._page_seconds):
                told = await self._ask(target)
            return _result(target, started_at, told)
        except Exception:
            # TimeoutError too: the browser's own deadlines are shorter, so it is not the page's fault.
            log.exception("rendered_probe_failed", extra={"target_id": target.id})
            await self._end_worker()
            return _unknown(target, started_at, Cause.PROBER_FAULT, "浏览器探测程序出错，本次结果无效。")
        except asyncio.CancelledError:
            await self._end_worker()
            raise
        finally:
            self._turn.release()

    async def close(self) -> None:
        """End the process and its browser; looks still running must have been cancelled."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        assert worker.stdin is not None
        worker.stdin.close()
        try:
            async with asyncio.timeout(5):
                await worker.wait()
        except TimeoutError:
            await _kill(worker)

    async def _ask(self, target: RenderedTarget) -> dict[str, Any]:
        worker = self._worker
        if worker is None or worker.returncode is not None:
            worker = self._worker = await self._start()
        assert worker.stdin is not None
        assert worker.stdout is not None
        asked = {
            "url": target.url,
            "seconds": target.timeout_seconds,
            "must_contain": target.must_contain,
            "must_not_contain": target.must_not_contain,
        }
        worker.stdin.write(json.dumps(asked).encode() + b"\n")
        await worker.stdin.drain()
        line = await worker.stdout.readline()
        if not line:
            raise RuntimeError("the worker ended")
        found: dict[str, Any] = json.loads(line)
        return found

    async def _start(self) -> asyncio.subprocess.Process:
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", WORKER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_MOST,
        )
        assert worker.stdin is not None
        worker.stdin.write(json.dumps(_policy_told(self._policy)).encode() + b"\n")
        return worker

    async def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await _kill(worker)


async def _kill(worker: asyncio.subprocess.Process) -> None:
    if worker.stdin is not None:
        worker.stdin.close()
    with contextlib.suppress(ProcessLookupError):
        worker.terminate()  # it ends its browser on the way out
    try:
        async with asyncio.timeout(5):
            await worker.wait()
    except TimeoutError:
        worker.kill()
        await worker.wait()


def _policy_told(policy: Policy) -> dict[str, Any]:
    return {
        "allow": [(str(one.network), one.port) for one in policy.allow],
        "deny": [(str(one.network), one.port) for one in policy.deny],
        "test_or_demo": policy.test_or_demo,
    }


def _result(target: RenderedTarget, started_at: datetime, told: dict[str, Any]) -> ProbeResult:
    total_ms = float(told["total_ms"])
    verdict, cause, detail = Verdict(told["verdict"]), told["cause"], told["detail"]
    if verdict is Verdict.UP and total_ms >= target.slow_ms:
        verdict, cause = Verdict.DEGRADED, Cause.SLOW.value
        detail = f"浏览器打开页面用时 {total_ms / 1000:.1f} 秒。"
    return ProbeResult(
        target_id=target.id,
        started_at=started_at,
        verdict=verdict,
        cause=cause,
        detail=detail,
        status=told["status"],
        phases=Phases(transfer_ms=total_ms),
        final_url=target.url,
    )


def _unknown(target: RenderedTarget, at: datetime, cause: Cause, detail: str) -> ProbeResult:
    return ProbeResult(target.id, at, Verdict.UNKNOWN, cause.value, detail, final_url=target.url)
