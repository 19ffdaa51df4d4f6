"""Pages in three languages: simplified Chinese is written, English is translated, traditional is made.

English words come from ``translations/en`` and are read from the catalogue's text itself: nothing has to
be compiled, so nothing can be forgotten. Traditional Chinese is made of the finished page, whatever it
says: words of templates, items and messages alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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
ENGLISH = CATALOGUES / "en/LC_MESSAGES/messages.po"
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
        return _english().messages if str(get_locale()) == "en" else _NOTHING


_NOTHING = NullTranslations()


@dataclass(frozen=True, slots=True)
class _English:
    """``sentences``: those with figures, as a pattern of what is said and the English with ``{}``."""

    messages: Translations
    sentences: list[tuple[re.Pattern[str], str]]


@cache
def _english() -> _English:
    with ENGLISH.open("rb") as file:
        catalogue = read_po(file)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    sentences = [
        (re.compile(re.escape(one.id).replace(r"\{\}", "(.+?)")), str(one.string))
        for one in catalogue
        if isinstance(one.id, str) and "{}" in one.id
    ]
    return _English(Translations(compiled), sentences)


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
    """Return ready words (a label, what went wrong) in the page's language; unknown ones as they are.

    Domains say what is wrong in Chinese and know no pages; their sentences are found by their form.
    """
    if not words or not viewing.current().english:
        return words
    english: str = gettext(words)
    if english != words:
        return english
    if words in _error_titles():
        return _error_titles()[words]
    for sentence, form in _english().sentences:
        if found := sentence.fullmatch(words):
            return form.format(*found.groups())
    return words


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
