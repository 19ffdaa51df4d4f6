"""Heads of the audit chain, kept in a file outside the database."""

from __future__ import annotations

import json
from pathlib import Path

from app.core import audit, clock


def write_checkpoint(output: Path) -> None:
    """Append the heads of the audit chain to ``output``, one JSON line."""
    output.parent.mkdir(parents=True, exist_ok=True)
    heads = {str(chain): list(head) for chain, head in audit.heads().items()}
    line = json.dumps({"at": clock.system_clock().isoformat(), "heads": heads})
    with output.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def read_checkpoints(path: Path) -> list[dict[int, tuple[int, str]]]:
    """Return the heads exported to ``path``, oldest first; none when there is no file.

    A last line that a power cut tore off is passed over: the one before it still proves the trail.

    Raises:
        ValueError: any other line is unreadable, so the file was tampered with.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return [_heads(line) for line in lines[:-1]]  # every complete line ends with a newline


def _heads(line: str) -> dict[int, tuple[int, str]]:
    try:
        heads = json.loads(line)["heads"].items()
        return {int(chain): (number, mac) for chain, (number, mac) in heads}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("a line of the checkpoints is unreadable") from error
