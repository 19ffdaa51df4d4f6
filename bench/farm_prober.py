"""The hall's own prober over the farm's name server and roots: `python -m bench.farm_prober DNS CA`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app import create_app
from app.monitoring.prober import Network, build_prober
from config.settings import Settings
from mobile_pages.probe.dns import DnsResolver
from mobile_pages.probe.runner import serve

FRESH_SECONDS = 2.0


def main(name_server: str, ca_file: str) -> None:
    resolvers: list[DnsResolver] = []

    async def resolve(host: str) -> Sequence[str]:
        if not resolvers:  # belongs to the loop it is first used in
            resolvers.append(DnsResolver([name_server], 1.5, FRESH_SECONDS))
        return await resolvers[0](host)

    settings = Settings.from_env()
    prober, _ = build_prober(create_app(settings), settings, "farm", Network(resolve, ca_file))
    serve(prober)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
