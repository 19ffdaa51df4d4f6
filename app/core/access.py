"""Who may call what. Every route says so with a mark; a route without one is refused.

The mark is read before the view runs (fail closed), so a forgotten decorator shows at once and a
test walks all routes besides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from flask import Flask, g, request

from app.core.errors import Forbidden, NotSignedIn

F = TypeVar("F", bound=Callable[..., Any])
MARK = "__hall_guard__"


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


@dataclass(frozen=True, slots=True)
class Mark:
    """What a route demands; ``permission`` None means any member of staff."""

    public: bool = False
    reason: str = ""
    permission: Permission | None = None


def public(reason: str) -> Callable[[F], F]:
    """Mark a view as open to everyone, and say why."""
    return _marker(Mark(public=True, reason=reason))


def staff(permission: Permission | None = None) -> Callable[[F], F]:
    """Mark a view as for signed-in staff that hold ``permission`` somewhere."""
    return _marker(Mark(permission=permission))


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


def init_app(app: Flask, authenticator: Authenticator | None, api_endpoints: Callable[[str], bool]) -> None:
    """Enforce the marks on every request.

    Args:
        api_endpoints: tells whether an endpoint belongs to the JSON API: there only a bearer token
            counts, on pages only the session cookie, so that no cookie can drive the API.
    """

    @app.before_request
    def _enforce() -> None:
        g.staff = None
        if request.endpoint is None or request.method == "OPTIONS":
            return
        method = "GET" if request.method == "HEAD" else request.method
        mark = mark_of(app.view_functions[request.endpoint], method)
        if mark is None:
            raise Forbidden(f"no guard on {request.endpoint}")
        if authenticator is not None:
            if api_endpoints(request.endpoint):
                token = _bearer()
                g.staff = authenticator.by_token(token) if token else None
            elif not request.path.startswith("/static/"):
                g.staff = authenticator.by_session()
        if mark.public:
            return
        if g.staff is None:
            raise NotSignedIn
        if mark.permission is not None and not g.staff.may(mark.permission):
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
