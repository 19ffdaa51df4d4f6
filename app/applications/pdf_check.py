"""Look into a PDF in a process of its own: standard input to one line of JSON. Imports nothing of ours.

A document may unpack to gigabytes or be nested without end; here that costs a process its bounded
memory and time, and the hall nothing.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from collections.abc import Iterator
from typing import Any

import pikepdf

MEMORY_BYTES = 512 * 1024 * 1024
SECONDS = 5
OBJECTS_MAX = 50_000
DEPTH_MAX = 40
ACTIVE = frozenset(
    {"/JS", "/JavaScript", "/Launch", "/EmbeddedFiles", "/EF", "/XFA", "/RichMedia", "/AA", "/ImportData"}
)
"""Keys under which a document does something, or carries what cannot be seen."""
ACTIONS = frozenset(
    {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToR", "/GoToE", "/Rendition"}
)


def found_in(content: bytes) -> dict[str, Any]:
    """Return ``pages`` of a document, or in ``fault`` why it is not taken.

    Faults: ``broken``, ``locked`` (a password, or encrypted), ``active`` (scripts, launch actions,
    files inside), ``endless`` (too many parts).
    """
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as document:
            if document.is_encrypted:
                return {"fault": "locked"}
            parts = list(_parts(document))
            if len(parts) >= OBJECTS_MAX:
                return {"fault": "endless"}
            if any(_is_active(one, DEPTH_MAX) for one in parts):
                return {"fault": "active"}
            return {"pages": len(document.pages)}
    except pikepdf.PasswordError:
        return {"fault": "locked"}
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError, RecursionError):
        return {"fault": "broken"}


def _parts(document: pikepdf.Pdf) -> Iterator[Any]:
    yield document.trailer
    for number, one in enumerate(document.objects):
        if number >= OBJECTS_MAX:
            return
        yield one


def _is_active(node: Any, depth: int) -> bool:
    if not depth:
        return True
    if isinstance(node, pikepdf.Stream | pikepdf.Dictionary):
        kept = dict(node.items()) if isinstance(node, pikepdf.Dictionary) else dict(node.stream_dict.items())
        if not ACTIVE.isdisjoint(kept) or str(kept.get("/S", "")) in ACTIONS:
            return True
        inner = list(kept.values())
    elif isinstance(node, pikepdf.Array):
        inner = list(node)
    else:
        return False
    # What is an object of its own is looked at by itself: no part is seen twice, no circle is run.
    return any(_is_active(one, depth - 1) for one in inner if not _is_own(one))


def _is_own(node: Any) -> bool:
    return isinstance(node, pikepdf.Object) and node.is_indirect


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        said = found_in(sys.stdin.buffer.read())
    except MemoryError:
        said = {"fault": "endless"}
    sys.stdout.write(json.dumps(said))
