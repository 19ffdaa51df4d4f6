"""Bring the English catalogue up to date with what pages say: new messages come in, old ones go.

Words of templates and views are marked ``_("…")``; labels that stand in tables of the code are listed
here, by where they stand. What has no English yet is named at the end.
"""

import ast
import importlib
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from app import capabilities  # noqa: E402
from channels import registry  # noqa: E402

ENGLISH = ROOT / "translations/en/LC_MESSAGES/messages.po"
METHODS = {".html": "jinja2", ".py": "python"}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None, "N_": None}
LABELS = (
    "app.applications.domain:EVENT_LABELS",
    "app.applications.domain:PLAIN_LABELS",
    "app.catalogue.domain:CASE_TYPE_LABELS",
    "app.catalogue.domain:DELIVERY_LABELS",
    "app.catalogue.domain:DOMAIN_LABELS",
    "app.catalogue.domain:HANDING_LABELS",
    "app.catalogue.domain:ITEM_TYPE_LABELS",
    "app.catalogue.domain:SERVED_LABELS",
    "app.catalogue.related:_WORDS",
    "app.identity.domain:CLIENT_LABELS",
    "app.identity.people_domain:DELEGATION_LABELS",
    "app.identity.people_domain:DELEGATION_STATE_LABELS",
    "app.identity.people_domain:ID_KIND_LABELS",
    "app.identity.people_domain:LINK_LABELS",
    "app.mobile_access.domain:THEME_LABELS",
    "app.notices.domain:TOPIC_LABELS",
    "app.themes.domain:PART_LABELS",
    "app.themes.domain:STATE_LABELS",
    "app.third_parties.domain:CONSENT_LABELS",
)
"""Tables of labels that residents' pages show through the filter ``translated``."""
SAYING = (
    "app/applications/drafts.py",
    "app/applications/materials.py",
    "app/applications/pages.py",
    "app/applications/parties.py",
    "app/catalogue/forms.py",
    "app/core/citizen_number.py",
    "app/identity/delegation_pages.py",
    "app/identity/delegations.py",
    "app/identity/merging_pages.py",
    "app/identity/numbers.py",
    "app/identity/pages.py",
    "app/identity/people_pages.py",
    "app/mobile_access/publication.py",
    "app/notices/pages.py",
    "app/portal/settings_pages.py",
    "app/themes/pages.py",
    "app/third_parties/resident_pages.py",
)
"""Modules that say to residents what was done or is wrong: every sentence, with ``{}`` for its figures."""
CHINESE = re.compile("[\u4e00-\u9fff]")


def labels() -> Iterable[tuple[str, str]]:
    """Return every label with the table it stands in."""
    for place in LABELS:
        module, _, name = place.partition(":")
        table: Mapping[object, str] = getattr(importlib.import_module(module), name)
        yield from ((words, place) for words in table.values())
    for capability in capabilities():
        yield from ((words, f"app/{capability.name}/wiring.py") for words, _endpoint in capability.mine)
    for kind, channel in registry.kinds().items():
        yield channel.label, f"channels/{kind}"


def said(path: Path) -> Iterable[str]:
    """Return the sentences of a module, docstrings and what is marked already left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            passed.update(node.args)
        if isinstance(node, ast.JoinedStr):
            passed.update(node.values)
            parts = (one.value if isinstance(one, ast.Constant) else "{}" for one in node.values)
            yield "".join(map(str, parts))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in passed:
            yield node.value


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
    telling = (str(path.relative_to(ROOT)) for path in sorted((ROOT / "app").glob("*/own_data.py")))
    for place in (*SAYING, *telling):
        for words in filter(CHINESE.search, said(ROOT / place)):
            found.add(words, None, [(place, 0)])
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
