"""Pages in three languages: simplified Chinese is written, English is translated, traditional is made.

English words come from ``translations/en`` and are read from the catalogue's text itself: nothing has to
be compiled, so nothing can be forgotten. Traditional Chinese is made of the finished page, whatever it
says: words of templates, items and messages alike.
"""

from __future__ import annotations

import re
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, Response, g
from flask_babel import Babel, Domain, get_locale, gettext
from opencc import OpenCC

from app.core import viewing
from app.core.errors import DomainError
from app.core.viewing import Language

CATALOGUES = Path(__file__).resolve().parents[2] / "translations"
LOCALES = {Language.SIMPLIFIED: "zh_Hans", Language.TRADITIONAL: "zh_Hans", Language.ENGLISH: "en"}

# What a person typed stays as typed: values of fields, and what the page marks translate="no".
_PIECES = re.compile(
    r"<!--.*?-->"
    r"|<(?P<kept>script|style|textarea)\b.*?</(?P=kept)\s*>"
    r"|<(?P<marked>\w+)\b[^>]*\btranslate=\"no\"[^>]*>.*?</(?P=marked)\s*>"
    r"|<[^>]*>",
    re.DOTALL,
)
_SHOWN_ATTRIBUTE = re.compile(r'\b(?:placeholder|title|alt|aria-label|data-label|content)="[^"]*"')
_BREAK = "\x01"
"""Between pieces that are converted in one go. HTML knows no such character."""


class _Catalogues(Domain):  # type: ignore[misc]
    """Translations read from ``.po`` files, once per process and language."""

    def get_translations(self) -> NullTranslations:
        return _catalogue(str(get_locale()))


@cache
def _catalogue(locale: str) -> NullTranslations:
    path = CATALOGUES / locale / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return Translations()
    return catalogue_of(path)


def catalogue_of(path: Path) -> Translations:
    """Return the translations of a ``.po`` file."""
    from_text = BytesIO()
    with path.open("rb") as file:
        write_mo(from_text, read_po(file))
    from_text.seek(0)
    return Translations(from_text)


def init_app(app: Flask) -> None:
    """Let templates and views say ``_("…")``; the view of the request decides the language."""
    babel = Babel()
    babel.init_app(
        app,
        default_locale="zh_Hans",
        default_timezone="Asia/Shanghai",
        default_translation_directories=str(CATALOGUES),
        locale_selector=lambda: LOCALES[viewing.current().language],
    )
    babel.domain_instance = _Catalogues()
    app.add_template_filter(translated)
    app.after_request(_in_traditional)


def translated(words: str) -> str:
    """Return ready words (a label, what went wrong) in the page's language; unknown ones as they are."""
    if not words or not viewing.current().english:
        return words
    english: str = gettext(words)
    return _error_titles().get(words, words) if english == words else english


@cache
def _error_titles() -> dict[str, str]:
    """Return the English of what can go wrong: every error brings its own."""
    found, waiting = {}, [DomainError]
    while waiting:
        kind = waiting.pop()
        found[kind.title] = kind.title_en
        waiting += kind.__subclasses__()
    return found


def _in_traditional(answer: Response) -> Response:
    if "view" in g and g.view.language is Language.TRADITIONAL and answer.mimetype == "text/html":
        answer.set_data(to_traditional(answer.get_data(as_text=True)))
    return answer


@cache
def _to_traditional() -> OpenCC:
    return OpenCC("s2hk")


def to_traditional(page: str) -> str:
    """Return an HTML page with what it shows in traditional Chinese, as Hong Kong writes it."""
    pieces: list[str] = []  # text and markup by turns
    end = 0
    for found in _PIECES.finditer(page):
        pieces += (page[end : found.start()], found[0])
        end = found.end()
    pieces.append(page[end:])
    shown = _BREAK.join(piece.replace(_BREAK, "") for piece in pieces[::2])
    for number in range(1, len(pieces), 2):
        pieces[number] = _with_attributes(pieces[number])
    pieces[::2] = _to_traditional().convert(shown).split(_BREAK)
    return "".join(pieces)


def _with_attributes(markup: str) -> str:
    if markup.isascii() or markup.startswith("<!") or 'translate="no"' in markup:
        return markup
    return _SHOWN_ATTRIBUTE.sub(lambda found: _to_traditional().convert(found[0]), markup)
