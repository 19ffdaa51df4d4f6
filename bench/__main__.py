"""`make bench`: every figure that the issues ask for, as ratios in one run on this machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bench import channels, check, desk, farm, history, masking, probes, published, services, wall
from tests.builders import an_environment

if __name__ == "__main__":
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the run; ratios count, not absolutes\n"
    )
    with tempfile.TemporaryDirectory(prefix="hall-bench-") as folder:
        environment = an_environment(
            HALL_VAR_DIR=folder,
            DATABASE_URL=f"sqlite:///{folder}/hall.sqlite",
            HALL_TRUSTED_HOSTS="127.0.0.1",
        )
        published.run(environment)
        print()
        check.run(Path(folder))
        print()
        channels.run()
        print()
        masking.run()
        print()
        services.run()
        print()
        desk.run()
        print()
        history.run()
        print()
        wall.run()
        print()
        Path(folder).chmod(0o755)
        probes.run(environment, Path(folder) / "probes")
    print()
    farm.measure()
