"""What hardly ever changes and is asked for at every turn: kept in the process for a while.

For a few rows that many requests read, such as the list of regions. Who changes them forgets them here;
other processes notice when the while is over.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar, cast

from flask import Flask, current_app

K = TypeVar("K")
T = TypeVar("T")
SECONDS = 30.0


def init_app(app: Flask) -> None:
    app.extensions["hall_lately"] = {}


def kept(name: str, make: Callable[[], T]) -> T:
    """Return what ``make`` returned within the last ``SECONDS``, or what it returns now.

    What is empty is not kept: it is about to be filled. Whoever gets it must not change it.
    """
    held = _held().get(name)
    if held is not None and time.monotonic() - held[0] < SECONDS:
        return cast(T, held[1])
    made = make()
    if made:
        _held()[name] = (time.monotonic(), made)
    return made


def forget(name: str) -> None:
    """Have ``name`` made anew at the next turn."""
    _held().pop(name, None)


def _held() -> dict[str, tuple[float, Any]]:
    held: dict[str, tuple[float, Any]] = current_app.extensions["hall_lately"]
    return held


class Few(Generic[K, T]):
    """The values that were asked for last, up to a number of them; for what never changes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[K, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> T | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: K, value: T) -> None:
        """Hold ``value``; the one asked for longest ago makes room."""
        with self._lock:
            self._held[key] = value
            if len(self._held) > self._most:
                self._held.popitem(last=False)
