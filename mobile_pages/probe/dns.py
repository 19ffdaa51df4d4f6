"""Names to addresses without threads, so that names that never answer hold up nobody else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import aiodns
import pycares

FRESH_SECONDS = 20.0


@dataclass(slots=True)
class _Generation:
    resolver: aiodns.DNSResolver
    born: float
    users: int = 0


class DnsResolver:
    """Asks the system's name servers (or those given); an instance belongs to one event loop.

    c-ares remembers answers and offers no switch for it, so the resolver itself is renewed every
    ``fresh_seconds``: below the shortest interval, each look asks anew.

    Args:
        nameservers: ``"address"`` or ``"address:port"``; empty for those of the system.
        timeout_seconds: for the whole question, all servers and tries.
    """

    def __init__(
        self,
        nameservers: Sequence[str] = (),
        timeout_seconds: float = 5.0,
        fresh_seconds: float = FRESH_SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._nameservers = tuple(nameservers)
        self._timeout_seconds = timeout_seconds
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._generation: _Generation | None = None

    async def __call__(self, host: str) -> Sequence[str]:
        """Return all IPv4 and IPv6 addresses of ``host`` as text.

        Raises:
            OSError: no such name, no answer, or too slow (``TimeoutError``).
        """
        generation = await self._current()
        generation.users += 1
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await generation.resolver.getaddrinfo(host, type=socket.SOCK_STREAM)
        except aiodns.error.DNSError as error:
            raise OSError(str(error)) from error  # its number is not an errno
        finally:
            generation.users -= 1
            if generation is not self._generation and not generation.users:
                await generation.resolver.close()
        return [node.addr[0].decode("ascii") for node in answer.nodes]

    async def close(self) -> None:
        """Give up all questions under way and the sockets."""
        generation, self._generation = self._generation, None
        if generation is not None:
            await generation.resolver.close()

    async def _current(self) -> _Generation:
        old, now = self._generation, self._clock()
        if old is not None and now - old.born < self._fresh_seconds:
            return old
        # Search domains would turn an unknown name into somebody else's.
        resolver = aiodns.DNSResolver(
            nameservers=self._nameservers or None,
            timeout=min(2.0, self._timeout_seconds),
            tries=2,
            flags=pycares.ARES_FLAG_NOSEARCH,
        )
        fresh = self._generation = _Generation(resolver, now)
        if old is not None and not old.users:
            await old.resolver.close()
        return fresh
