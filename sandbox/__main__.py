"""Start the sandbox: ``python -m sandbox --config var/sandbox.json``."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

from sandbox import config, serving
from sandbox.pages.outage import Outage
from sandbox.pages.site import create_pages
from sandbox.web import create_app
from sandbox.world import World


def main(arguments: list[str] | None = None) -> int:
    """Run until stopped; returns the exit status."""
    parser = argparse.ArgumentParser(prog="sandbox", description="微信、支付宝、手机和部门样例页面的本机沙箱")
    parser.add_argument("--config", type=Path, required=True, help="JSON 配置文件，权限 0600")
    parser.add_argument("--port", type=int, default=8101, help="平台、手机和控制的端口")
    parser.add_argument("--pages-port", type=int, default=8102, help="部门样例页面的端口")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(name)s %(levelname)s %(message)s")
    try:
        loaded = config.load(options.config)
    except config.ConfigError as error:
        for problem in error.problems:
            sys.stderr.write(f"配置有误：{problem}\n")
        return 2
    world = World(loaded, time.time)
    outage = Outage(loaded.outage, time.time)
    main_server = serving.listen(create_app(world, outage), options.port)
    pages = create_pages(outage, world.stopping, loaded.hall_base)
    pages_server = serving.listen(pages, options.pages_port)
    serving.logger.info("手机 http://%s:%s/phone/", serving.HOST, main_server.port)
    serving.logger.info("样例页面目录 http://%s:%s/catalogue.json", serving.HOST, pages_server.port)
    serving.run([main_server, pages_server], world.stopping)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
