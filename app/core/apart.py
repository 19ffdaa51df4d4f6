"""Background work on many things, each apart from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from app.core.errors import Unavailable

T = TypeVar("T")


def each_apart(ids: Iterable[T], act: Callable[[T], object]) -> None:
    """Act on each id; one that fails holds up none of the others, now or when the job runs again.

    Raises:
        ExceptionGroup: what failed, once all had their turn, so that the job is seen to fail.
        Unavailable: the database is away; the others would only wait for it in vain.
    """
    failed: list[Exception] = []
    for one in ids:
        try:
            act(one)
        except Unavailable:
            raise
        except Exception as error:
            failed.append(error)
    if failed:
        raise ExceptionGroup(f"{len(failed)} failed", failed)
