"""Themes (主题、一件事): the schema of their definitions, and realistic samples.

Samples are made up for trying the hall, over the sample items of ``config/items``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


def theme_schema() -> dict[str, Any]:
    """Return the JSON Schema that every definition follows."""
    read: dict[str, Any] = json.loads((FOLDER / "theme.schema.json").read_text(encoding="utf-8"))
    return read


def samples(folder: Path = FOLDER / "samples") -> list[dict[str, Any]]:
    """Return the definitions of the sample themes, by file name."""
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))]
