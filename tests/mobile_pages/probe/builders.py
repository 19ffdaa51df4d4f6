from datetime import UTC, datetime, timedelta

from mobile_pages.probe.base import ProbeResult, Verdict

START = datetime(2016, 9, 1, tzinfo=UTC)


def a_result(
    target_id="page", second=0.0, verdict=Verdict.UP, *, status: int | None = None, cause=""
) -> ProbeResult:
    if verdict is Verdict.UP:
        status = 200
    return ProbeResult(target_id, START + timedelta(seconds=second), verdict, cause, status=status)


def silent(target_id="page", second=0.0) -> ProbeResult:
    return a_result(target_id, second, Verdict.DOWN, cause="connect_timeout")
