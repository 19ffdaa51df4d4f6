"""Who may call what. Every route says so with a mark; a route without one is refused.

The mark is read before the view runs (fail closed), so a forgotten decorator shows at once and a
test walks all routes besides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Protocol, TypeVar

from flask import Flask, g, request

from app.core.errors import Forbidden, LevelTooLow, NotSignedIn, ResidentNotSignedIn

F = TypeVar("F", bound=Callable[..., Any])
MARK = "__hall_guard__"
RESIDENT_TOKEN = "r_"
"""How every bearer token of a resident begins; those of staff never do."""


class Permission(StrEnum):
    """What a role may do, inside its scope."""

    PAGES_REGISTER = "pages.register"  # register, edit, resubmit pages of one's body
    PAGES_READ = "pages.read"  # see pages, reports and incidents
    PAGES_REVIEW = "pages.review"  # approve, reject, suspend
    SPEC_MANAGE = "spec.manage"  # publish versions of the access spec
    WATCH = "watch"  # wall, incidents, uptime
    STAFF_MANAGE = "staff.manage"
    CHANNELS_MANAGE = "channels.manage"
    AUDIT_READ = "audit.read"
    CASES_READ = "cases.read"  # see residents' applications, personal answers starred
    CASES_HANDLE = "cases.handle"  # accept, ask for supplements, decide
    CASES_SUPERVISE = "cases.supervise"  # extend, pause, void: a second person's part
    CASES_HEAD = "cases.head"  # the head of a body: extend and pause its own cases, second opinion
    ITEMS_READ = "items.read"  # see drafts, reviews and scores of items
    ITEMS_EDIT = "items.edit"  # write items of one's body, hand them in for review
    ITEMS_REVIEW = "items.review"  # file, return, suspend and cancel items
    EXCHANGE_MANAGE = "exchange.manage"  # systems of departments, their conformance, held-back messages
    CALENDAR_MANAGE = "calendar.manage"  # bring in the year's working days
    JOBS_MANAGE = "jobs.manage"  # background work that failed for good


class Grants(Protocol):
    """A signed-in member of staff as the core sees one."""

    @property
    def staff_id(self) -> int: ...

    @property
    def actor(self) -> str:
        """Name for the audit trail, e.g. ``"staff:123"``."""
        ...

    def may(self, permission: Permission) -> bool:
        """Tell whether any of the grants carries ``permission``."""
        ...


class Authenticator(Protocol):
    def by_session(self) -> Grants | None:
        """Return who the session cookie of the current request belongs to."""
        ...

    def by_token(self, token: str) -> Grants | None:
        """Return who the API token belongs to."""
        ...


class Resident(Protocol):
    """A signed-in resident as the core sees one."""

    @property
    def id(self) -> int: ...

    @property
    def level(self) -> int:
        """How sure we are of who it is: 1 a channel's identity only, 2 a real name, 3 a face, for a while."""
        ...

    @property
    def actor(self) -> str:
        """Name for the audit trail, e.g. ``"resident:17"``."""
        ...


class ResidentAuthenticator(Protocol):
    def by_cookie(self) -> Resident | None:
        """Return who the resident's cookie of the current request belongs to."""
        ...

    def by_token(self, token: str) -> Resident | None:
        """Return who the bearer token ``r_…`` belongs to."""
        ...


class Partner(Protocol):
    """A registered third party as the core sees one."""

    @property
    def id(self) -> int: ...

    @property
    def actor(self) -> str:
        """Name for the audit trail, e.g. ``"partner:5"``."""
        ...

    def may(self, scope: str) -> bool:
        """Tell whether the third party was granted ``scope``."""
        ...


class PartnerAuthenticator(Protocol):
    def by_signature(self) -> Partner | None:
        """Return who signed the current request, None when nobody did.

        May raise any ``DomainError`` that says more (stale, replayed, over quota).
        """
        ...


@dataclass(frozen=True, slots=True)
class Mark:
    """What a route demands, of exactly one kind of caller.

    Attributes:
        permission: of staff; None means any member of staff.
        level: of a resident, 1 or more; 0 is no route for residents.
        scope: of a third party; ``""`` is no route for third parties.
    """

    public: bool = False
    reason: str = ""
    permission: Permission | None = None
    level: int = 0
    scope: str = ""

    @property
    def for_residents(self) -> bool:
        return self.level > 0

    @property
    def for_partners(self) -> bool:
        return bool(self.scope)

    @property
    def for_staff(self) -> bool:
        return not (self.public or self.for_residents or self.for_partners)


def public(reason: str) -> Callable[[F], F]:
    """Mark a view as open to everyone, and say why."""
    return _marker(Mark(public=True, reason=reason))


def staff(permission: Permission | None = None) -> Callable[[F], F]:
    """Mark a view as for signed-in staff that hold ``permission`` somewhere."""
    return _marker(Mark(permission=permission))


def resident(level: int = 1) -> Callable[[F], F]:
    """Mark a view as for signed-in residents known at least to ``level``.

    Raises:
        ValueError: the level is below 1.
    """
    if level < 1:
        raise ValueError("a resident has level 1 at least")
    return _marker(Mark(level=level))


def partner(scope: str) -> Callable[[F], F]:
    """Mark a view as for third parties that sign their requests and were granted ``scope``.

    Raises:
        ValueError: the scope is empty.
    """
    if not scope:
        raise ValueError("a route for third parties names its scope")
    return _marker(Mark(scope=scope))


def open_endpoint(app: Flask, endpoint: str, reason: str) -> None:
    """Mark a route that a library registered as open to everyone."""
    view: Callable[..., Any] = app.view_functions[endpoint]

    def opened(**values: Any) -> Any:
        return view(**values)

    app.view_functions[endpoint] = public(reason)(opened)


def _marker(mark: Mark) -> Callable[[F], F]:
    def decorate(view: F) -> F:
        setattr(view, MARK, mark)
        return view

    return decorate


def mark_of(view: Callable[..., Any], method: str) -> Mark | None:
    """Return the mark of a view function, or of the method of a view class."""
    view_class = getattr(view, "view_class", None)
    target = getattr(view_class, method.lower(), None) if view_class else view
    found = getattr(target, MARK, None)
    return found if isinstance(found, Mark) else None


@dataclass(frozen=True, slots=True)
class Authenticators:
    """Who tells who is calling; a kind of caller without one is let in nowhere."""

    staff: Authenticator | None = None
    residents: ResidentAuthenticator | None = None
    partners: PartnerAuthenticator | None = None

    def find_staff(self, *, on_api: bool) -> Grants | None:
        if self.staff is None:
            return None
        if on_api:
            token = _bearer()
            return self.staff.by_token(token) if token and not token.startswith(RESIDENT_TOKEN) else None
        return None if request.path.startswith("/static/") else self.staff.by_session()

    def find_resident(self, *, on_api: bool) -> Resident | None:
        if self.residents is None:
            return None
        if on_api:
            token = _bearer()
            return self.residents.by_token(token) if token.startswith(RESIDENT_TOKEN) else None
        return self.residents.by_cookie()

    def find_partner(self) -> Partner | None:
        return self.partners.by_signature() if self.partners else None


def init_app(app: Flask, by: Authenticators, api_endpoints: Callable[[str], bool]) -> None:
    """Enforce the marks on every request.

    Args:
        api_endpoints: tells whether an endpoint belongs to the JSON API: there only a bearer token
            or a signature counts, on pages only the session cookie, so that no cookie can drive the API.
    """

    @app.before_request
    def _enforce() -> None:
        g.staff = g.partner = None
        g.pop("resident", None)
        if request.endpoint is None or request.method == "OPTIONS":
            g.resident = None
            return
        on_api = api_endpoints(request.endpoint)
        g.find_resident = partial(by.find_resident, on_api=on_api)
        method = "GET" if request.method == "HEAD" else request.method
        mark = mark_of(app.view_functions[request.endpoint], method)
        if mark is None:
            raise Forbidden(f"no guard on {request.endpoint}")
        if mark.for_residents:
            _demand_resident(mark)
        elif mark.for_partners:
            g.partner = by.find_partner()
            _demand_partner(mark)
        else:
            g.staff = by.find_staff(on_api=on_api)
            if not mark.public:
                _demand_staff(mark)


def _demand_resident(mark: Mark) -> None:
    if current_resident().level < mark.level:
        raise LevelTooLow(mark.level)


def _demand_partner(mark: Mark) -> None:
    if not current_partner().may(mark.scope):
        raise Forbidden(f"没有开通 {mark.scope}")


def _demand_staff(mark: Mark) -> None:
    person = current_staff()
    if mark.permission is not None and not person.may(mark.permission):
        raise Forbidden


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def current_staff() -> Any:
    """Return the signed-in member of staff; only in views marked with :func:`staff`."""
    if g.staff is None:
        raise NotSignedIn
    return g.staff


def maybe_staff() -> Any:
    """Return the signed-in member of staff, None for a visitor."""
    return g.get("staff")


def current_resident() -> Resident:
    """Return the signed-in resident; only in views marked with :func:`resident`.

    Raises:
        ResidentNotSignedIn: there is none.
    """
    found = maybe_resident()
    if found is None:
        raise ResidentNotSignedIn
    return found


def maybe_resident() -> Resident | None:
    """Return the signed-in resident, None for a visitor; asked once per request, and only when needed."""
    if "resident" not in g:
        g.resident = g.find_resident() if "find_resident" in g else None
    found: Resident | None = g.resident
    return found


def current_partner() -> Partner:
    """Return the third party that signed; only in views marked with :func:`partner`.

    Raises:
        NotSignedIn: nobody did.
    """
    found: Partner | None = g.get("partner")
    if found is None:
        raise NotSignedIn
    return found


def is_personal() -> bool:
    """Tell whether the answer depends on who asked, as far as anybody has looked yet."""
    return any(g.get(kind) is not None for kind in ("staff", "resident", "partner"))
