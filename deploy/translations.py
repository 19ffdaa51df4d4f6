"""Bring the English catalogue up to date with what pages say: new messages come in, old ones go.

Words of templates and views are marked ``_("…")``; labels that stand in tables of the code are listed
here, by where they stand. What has no English yet is named at the end.
"""

import importlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
ENGLISH = ROOT / "translations/en/LC_MESSAGES/messages.po"
METHODS = {".html": "jinja2", ".py": "python"}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None, "N_": None}
LABELS = (
    "app.applications.service:PLAIN_LABELS",
    "app.catalogue.service:CASE_TYPE_LABELS",
    "app.catalogue.service:DELIVERY_LABELS",
    "app.catalogue.service:DOMAIN_LABELS",
    "app.catalogue.service:HANDING_LABELS",
    "app.catalogue.service:ITEM_TYPE_LABELS",
    "app.catalogue.service:SERVED_LABELS",
    "app.identity.service:CLIENT_LABELS",
    "app.mobile_access.service:THEME_LABELS",
    "app.notices.service:TOPIC_LABELS",
)
"""Tables of labels that residents' pages show through the filter ``translated``."""


def labels() -> Iterable[tuple[str, str]]:
    """Return every label with the table it stands in."""
    for place in LABELS:
        module, _, name = place.partition(":")
        table: Mapping[object, str] = getattr(importlib.import_module(module), name)
        yield from ((words, place) for words in table.values())


def extracted() -> Catalog:
    """Return what pages say now."""
    found = Catalog(project="hall", charset="utf-8")
    for path in sorted((ROOT / "app").rglob("*")):
        method = METHODS.get(path.suffix)
        if method is None or "_(" not in path.read_text(encoding="utf-8"):
            continue
        place = str(path.relative_to(ROOT))
        for _line, message, comments, _context in extract_from_file(method, path, KEYWORDS):
            found.add(message, None, [(place, 0)], auto_comments=comments)
    for words, place in labels():
        found.add(words, None, [(place, 0)])
    return found


def main() -> int:
    with ENGLISH.open("rb") as file:
        catalogue = read_po(file, locale="en")
    catalogue.update(extracted(), no_fuzzy_matching=True)
    with ENGLISH.open("wb") as file:
        write_po(file, catalogue, width=100, sort_output=True, ignore_obsolete=True, include_lineno=False)
    missing = [one.id for one in catalogue if one.id and not one.string]
    print(f"{len(list(catalogue)) - 1} messages, {len(missing)} without English")
    for message in missing:
        print(f"  {message}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
