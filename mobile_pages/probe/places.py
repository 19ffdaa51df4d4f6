"""How many looks at a time: places that are waited for with patience and no longer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


class NotOurTurn(Exception):
    """Waited longer for our own limits than is fair to the target."""


class Places(asyncio.Semaphore):
    """Places that may become more."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._size = size

    def grow(self, size: int) -> None:
        """Let there be ``size`` places at least."""
        for _ in range(size - self._size):
            self.release()
        self._size = max(size, self._size)


@dataclass(slots=True)
class Turn:
    """A place under one of our own limits, waited for with patience and no longer."""

    places: asyncio.Semaphore
    patience_seconds: float

    async def __aenter__(self) -> None:
        if not self.places.locked():
            await self.places.acquire()
            return
        try:
            async with asyncio.timeout(self.patience_seconds):
                await self.places.acquire()
        except TimeoutError as error:
            raise NotOurTurn from error

    async def __aexit__(self, *exc: object) -> None:
        self.places.release()
