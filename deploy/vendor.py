"""Copy the few front-end files that pages load from node_modules to the static folder."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "app/core/static/vendor"
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "swagger-ui-dist/swagger-ui.css": "swagger-ui.css",
    "swagger-ui-dist/swagger-ui-bundle.js": "swagger-ui-bundle.js",
}

TARGET.mkdir(parents=True, exist_ok=True)
for source, name in FILES.items():
    shutil.copyfile(ROOT / "node_modules" / source, TARGET / name)
