"""The resident's pages: find a service, open it, or learn why it is not there now."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.catalogue import service as catalogue
from app.catalogue.service import Domain, ItemMatch
from app.core import access, clock, db, limits, viewing, web
from app.core.errors import NotFound
from app.core.installation import settings
from app.core.own_path import is_own_path
from app.mobile_access import service as mobile_access
from app.mobile_access.service import THEME_LABELS, PublishedList, Theme
from app.monitoring import service as monitoring
from app.portal import bridge, preferences
from app.portal.todos import todos_of

QUERY_MAX = 40
ITEMS_SHOWN = 6
FIELDS = {
    **{domain.value: label for domain, label in catalogue.DOMAIN_LABELS.items()},
    **{theme.value: label for theme, label in THEME_LABELS.items()},
}
PAGE_SIZE = 30
SCRIPT_TYPE = "text/javascript; charset=utf-8"

pages = Blueprint("portal_pages", __name__, template_folder="templates")


@pages.before_request
def _frame() -> None:
    # In demo the sandbox's phone shows these pages in a frame, as a platform's web view would.
    sandbox = settings().sandbox_url
    web.allow_framing(f"'self' {sandbox}" if sandbox else "'self'")


@pages.get("/")
@access.public("residents look before they sign in")
def home() -> str:
    """Show what waits for a resident, then what can be found, all of it for the chosen place."""
    query = request.args.get("q", "").strip()[:QUERY_MAX]
    theme, domain = _field(request.args.get("theme", ""))
    place = viewing.current().region
    near, region = preferences.near(place), preferences.place(place)
    resident = access.maybe_resident()
    found = mobile_access.published(
        theme, query or None, near=near, cursor=request.args.get("after"), limit=PAGE_SIZE
    )
    if domain and not theme:  # of this field there are items only
        found = PublishedList([], None)
    close = mobile_access.search(query) if query and not found.items else []
    shown = found.items or close
    return render_template(
        "portal/home.html",
        todos=todos_of(resident.id) if resident and not (query or theme or domain) else None,
        place=preferences.place_name(place),
        items=_items(query, domain, region.code if region else None),
        found=shown,
        guessed=bool(close),
        next_cursor=found.next_cursor,
        paused=[page for page in mobile_access.paused(theme, query) if page not in shown],
        fields=FIELDS,
        field=(theme or domain or ""),
        query=query,
        elder=_elder(),
        keep=_keep,
    )


def _items(query: str, domain: Domain | None, region: str | None) -> list[ItemMatch]:
    """Return the items that belong on the page; none on the front page itself."""
    if query:
        return catalogue.search(query, region, limit=ITEMS_SHOWN)
    return catalogue.listing(region, domain=domain, limit=ITEMS_SHOWN)[0] if domain else []


@pages.get("/go/<id:page_id>")
@access.public("menus and search hits lead here")
def go(page_id: int) -> ResponseReturnValue:
    """Open a department's page, or say why it cannot be opened and what to do instead."""
    entry = mobile_access.entry(page_id)
    if entry.available:
        answer = redirect(entry.elder_url if _elder() and entry.elder_url else entry.url, 302)
        answer.headers["Cache-Control"] = "no-store"  # the page may be down at the next tap
        return answer
    under_way = monitoring.current([page_id], clock.system_clock()).get(page_id)
    back_at = under_way and under_way.ends_at.astimezone(clock.HALL_TIME)
    notice = render_template(
        "portal/unavailable.html",
        entry=entry,
        maintenance=under_way,
        back_at=back_at,
        elder=_elder(),
        keep=_keep,
    )
    answer = make_response(notice, 503)
    answer.headers["Retry-After"] = "60"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/bridge")
@access.public("for those who build departments' pages")
def bridge_guide() -> str:
    """Tell how a page loads hall-bridge.js, with the digest of the present version."""
    return render_template(
        "portal/bridge.html", release=bridge.release(bridge.LATEST), base_url=settings().base_url
    )


@pages.get("/bridge/<version>/hall-bridge.js")
@access.public("departments' pages load it; one version never changes")
def bridge_script(version: str) -> ResponseReturnValue:
    found = bridge.release(version)
    compressed = request.accept_encodings["gzip"] > 0
    answer = Response(found.gzipped if compressed else found.body, content_type=SCRIPT_TYPE)
    if compressed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    answer.headers["Vary"] = "Accept-Encoding"
    # A script with an integrity digest is fetched across hosts, without cookies.
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@pages.get("/sso/<id:page_id>")
@access.public("who is not signed in is asked to, and comes back here")
def single_sign_on(page_id: int) -> ResponseReturnValue:
    """Send a signed-in resident back to a department's page with a ticket for it."""
    asked = request.args.get("return_to", "")
    body_id, target = bridge.way_back(page_id, asked, plain_http=settings().may_reach_loopback)
    resident = access.maybe_resident()
    if resident is None:
        here = request.full_path.rstrip("?")
        # A very long way back is forgotten: the resident arrives at the page's entrance.
        back = here if is_own_path(here) else request.path
        return redirect(url_for("identity_pages.sign_in", return_to=back), 302)
    limits.hit(bridge.TICKETS_PER_RESIDENT, "sso", str(resident.id))
    now = clock.system_clock()
    address = db.transaction(lambda: bridge.with_ticket(resident.id, body_id, target, now=now))
    answer = redirect(address, 302)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _elder() -> bool:
    return viewing.current().elder


def _keep(**params: str) -> str:
    """Return a query string with ``params`` and what must not get lost on the way: channel, edition."""
    kept = {name: request.args[name][:20] for name in ("channel", "style") if request.args.get(name)}
    merged = {name: value for name, value in {**kept, **params}.items() if value}
    return f"?{urlencode(merged)}" if merged else ""


def _field(value: str) -> tuple[Theme | None, Domain | None]:
    """Read a field of life (办事领域): pages and items know it by the same word, some only one of them.

    Raises:
        NotFound: there is none of this name.
    """
    theme = next((one for one in Theme if one.value == value), None)
    domain = next((one for one in Domain if one.value == value), None)
    if value and theme is None and domain is None:
        raise NotFound("没有这个办事领域")
    return theme, domain
