"""Copy what the hall uses of node_modules: files that its pages load, and the checker's axe-core."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "app/core/static/vendor"
CHECKER = ROOT / "mobile_pages/gather/vendor"
FILES = {
    "htmx.org/dist/htmx.min.js": STATIC / "htmx.min.js",
    "swagger-ui-dist/swagger-ui.css": STATIC / "swagger-ui.css",
    "swagger-ui-dist/swagger-ui-bundle.js": STATIC / "swagger-ui-bundle.js",
    "echarts/dist/echarts.common.min.js": STATIC / "echarts.common.min.js",
    "axe-core/axe.min.js": CHECKER / "axe.min.js",
    "axe-core/LICENSE": CHECKER / "axe-core.LICENSE",
}

# The parts of WeUI that residents' pages use; its whole would be a third of what a page may weigh.
WEUI = ("weui-tab/weui-tab", "weui-cell/weui-cell", "weui-grid/weui-grid", "weui-tips/weui-badge")

for source, target in FILES.items():
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "node_modules" / source, target)

parts = (ROOT / f"node_modules/weui/dist/style/widget/{part}.min.css" for part in WEUI)
(STATIC / "weui.css").write_text(
    "\n".join(part.read_text(encoding="utf-8") for part in parts), encoding="utf-8"
)
