"""How a resident looks at pages: the language, the edition and the place that their services are for.

What the address says counts first, then what a signed-in resident set, then the device's cookie, then
the browser's languages. Nobody has to sign in to choose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask, Response, current_app, g, has_request_context, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.local import LocalProxy

from app.core import access
from app.core.errors import DomainError
from app.core.installation import settings
from app.core.later import load
from config.settings import Settings

COOKIE = "hall_view"
COOKIE_SECONDS = 365 * 86400
COOKIE_CHARS_MAX = 120
CHOOSE_PATH = "/view"
"""Where the portal takes a choice and leads back; forms of every page point there."""
WORDS = ("lang", "style", "region")
REGION_CODE = re.compile(r"[0-9]{6}([0-9]{6})?")

T = TypeVar("T", bound=StrEnum)


class Language(StrEnum):
    """What pages can be read in; the value is the tag of BCP 47."""

    SIMPLIFIED = "zh-Hans"
    TRADITIONAL = "zh-Hant"
    ENGLISH = "en"


LANGUAGE_LABELS = {
    Language.SIMPLIFIED: "简体中文",
    Language.TRADITIONAL: "繁體中文",
    Language.ENGLISH: "English",
}
"""Each in itself, so that everybody finds their own."""


class Edition(StrEnum):
    STANDARD = "standard"
    ELDER = "elder"  # 长辈版: large text, large targets


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody chose; None is not chosen. ``region=""`` is the choice of the whole province."""

    language: Language | None = None
    edition: Edition | None = None
    region: str | None = None

    def over(self, other: Choice) -> Choice:
        """Return this choice, completed by another one."""
        return Choice(
            self.language or other.language,
            self.edition or other.edition,
            other.region if self.region is None else self.region,
        )


@dataclass(frozen=True, slots=True)
class View:
    """How the current page is shown.

    Attributes:
        region: code of the chosen place, as the phone says it; ``""`` is the whole province.
        signed_in: a resident is known, who keeps what they choose for all their devices.
    """

    language: Language
    edition: Edition
    region: str
    signed_in: bool = False

    @property
    def elder(self) -> bool:
        return self.edition is Edition.ELDER

    @property
    def english(self) -> bool:
        return self.language is Language.ENGLISH


@dataclass(frozen=True, slots=True)
class Site:
    """What every page must say about the site it belongs to (网站标识); ``""`` where nothing is known."""

    domain: str
    id_code: str
    icp_number: str


DEFAULT = View(Language.SIMPLIFIED, Edition.STANDARD, "")


def init_app(app: Flask, choices: str) -> None:
    """Let pages ask for their view.

    Args:
        choices: ``module:name`` of a function that returns the :class:`Choice` of a resident by id.
    """
    app.extensions["hall_choices"] = choices
    app.after_request(_say_what_it_depends_on)
    installed: Settings = app.extensions["hall_settings"]
    known = {
        "site": Site(
            urlsplit(installed.base_url).hostname or "", installed.site_id_code, installed.icp_number
        ),
        "looks": LocalProxy(current),
        "here": here,
        "choose_path": CHOOSE_PATH,
        "languages": LANGUAGE_LABELS,
    }
    app.context_processor(lambda: known)


def current() -> View:
    """Return how the current page is shown; asked of the database only for who is signed in."""
    if not has_request_context():
        return DEFAULT
    if "view" not in g:
        g.view = _found()
    found: View = g.view
    return found


def _found() -> View:
    of_resident = _resident_choice()
    chosen = from_words(request.args).over(of_resident or Choice()).over(device_choice())
    return View(
        chosen.language or _browser_language(),
        chosen.edition or DEFAULT.edition,
        chosen.region or "",
        signed_in=of_resident is not None,
    )


def device_choice() -> Choice:
    """Return what was chosen on this phone."""
    kept = request.cookies.get(COOKIE, "")[:COOKIE_CHARS_MAX]
    return from_words(dict(parse_qsl(kept, max_num_fields=10) if kept.count("&") < 10 else ()))


def _resident_choice() -> Choice | None:
    """Return what the signed-in resident chose; None for a visitor."""
    reference = current_app.extensions["hall_choices"]
    try:
        resident = access.maybe_resident()
        if resident is None:
            return None
        of_resident: Callable[[int], Choice] = load(reference)
        return of_resident(resident.id)
    except (DomainError, SQLAlchemyError):
        # The page that says what is wrong must not fail for the same reason.
        return None


def _browser_language() -> Language:
    """Return the first language of the browser that there are pages in."""
    for tag in request.accept_languages.values():
        known = _language_of_tag(tag.lower().replace("_", "-").split("-"))
        if known is not None:
            return known
    return DEFAULT.language


def _language_of_tag(parts: list[str]) -> Language | None:
    if parts[0] == "en":
        return Language.ENGLISH
    if parts[0] not in {"zh", "yue"}:
        return None
    if "hans" in parts:
        return Language.SIMPLIFIED
    return Language.TRADITIONAL if {"hant", "tw", "hk", "mo"} & set(parts) else Language.SIMPLIFIED


def from_words(words: Mapping[str, str]) -> Choice:
    """Read a choice from an address or a cookie; what is no known value was not chosen."""
    region = words.get("region")
    return Choice(
        _one_of(Language, words.get("lang", "")),
        _one_of(Edition, words.get("style", "")),
        region if region is not None and (region == "" or REGION_CODE.fullmatch(region)) else None,
    )


def _one_of(kind: type[T], value: str) -> T | None:
    return next((one for one in kind if one.value == value), None)


def to_words(choice: Choice) -> dict[str, str]:
    """Return what :func:`from_words` reads."""

    def words() -> Iterator[tuple[str, str]]:
        if choice.language:
            yield "lang", choice.language.value
        if choice.edition:
            yield "style", choice.edition.value
        if choice.region is not None:
            yield "region", choice.region

    return dict(words())


def keep_on_device(answer: Response, choice: Choice) -> None:
    """Let this phone remember ``choice`` besides what it knows already."""
    answer.set_cookie(
        COOKIE,
        urlencode(to_words(choice.over(device_choice()))),
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings().base_url.startswith("https:"),
    )


# What other sites lead people back with: it is for this one visit and belongs into no page.
_SECRETS = frozenset({"code", "auth_code", "state", "ticket"})


def here() -> str:
    """Return the current page's address without what is to be chosen; home for the answer to a form."""
    if request.method not in {"GET", "HEAD"}:
        rules = current_app.create_url_adapter(request)
        return request.path if rules and rules.test(method="GET") else "/"
    if not _SECRETS.isdisjoint(request.args):
        return "/"
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in WORDS]
    return f"{request.path}?{urlencode(kept)}" if kept else request.path


def _say_what_it_depends_on(answer: Response) -> Response:
    if "view" in g:
        answer.vary.update(("Cookie", "Accept-Language"))
        if answer.mimetype == "text/html":
            answer.content_language.add(g.view.language.value)
            _keep_first_choice(answer)
    return answer


def _keep_first_choice(answer: Response) -> None:
    """Let the phone remember what an address asks for that it knows nothing else of.

    Who comes from the menu of an elder's account stays in that edition on the next pages; whoever chose
    already is changed nothing by a link that somebody shared.
    """
    asked, known = from_words(request.args), device_choice()
    if known.over(asked) != known:
        keep_on_device(answer, known.over(asked))
