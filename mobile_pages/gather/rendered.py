"""Opens a page as residents' phones would and measures it.

Keys of ``Rendering.metrics`` (written by the files in ``script``; lengths in CSS px of the document).
Every list holds objects with ``selector``, ``family`` (the same for all rows of a list), ``snippet``, ``box``
(x, y, width, height) and, where repeats are grouped, ``count``; what else they hold stands in brackets.

- ``layout``: ``client_width`` (of the layout viewport), ``scroll_width``, ``height``, ``overflow`` (px
  beyond the width), ``hidden`` (root or body hides it), ``offenders`` [over], ``fixed_widths`` [width]
  (containers wider than 480 px and than the screen), ``plugins`` [type].
- ``text``: ``length`` (visible characters without blanks), ``sample``, ``glyph_height`` (mean, grows with
  text zoom).
- ``fonts``, ``body_fonts``: characters by font size (the latter without headings, buttons, navigation).
- ``contrast``: ``checked`` runs and ``list`` of failing or doubtful ones [ratio, needed, size, color,
  background, text, doubt: ``""`` | ``image`` | ``gradient`` | ``shadow`` | ``effect`` | ``color``, area
  of the first line, ink: red, green, blue 0–255 and opacity 0–1, null = not known].
- ``cut``: text cut off by its box [direction, text]; ``overlaps``: text on other text [text, under].
- ``paragraphs``: ``count`` of several lines, ``list`` [ratio of line pitch to font size, gap to the next
  paragraph in line pitches or null, size, lines, text].
- ``targets``: ``count``, ``main``, ``list`` of those below 60 px [size, crowded, main, text]; links inside
  sentences are left out.
- ``title``, ``lang``, ``viewport``, ``headings`` [[level, text]], ``main_button``, ``main_button_box``,
  ``fields`` (labels in order), ``inputs`` [type, mode, autocomplete, label, name, read_only, filled,
  masked: whether the value holds asterisks],
  ``passwords``, ``sign_ins``.
- ``nameless`` [what: link | button | control | frame]; ``images``: ``count``, ``list``
  [problem: missing | file_name].
- ``footer``: ``found``, ``text`` (of the last footer, else of the page's lower part), ``box``, ``font``.
  ``telephones``: numbers of ``tel:`` links.
- ``unready`` [text]; ``empty_lists`` [heading]; ``top_bars`` [kind: back | title];
  ``dialogs`` [text, closes: selector, size, place: top-left | top-right | bottom | elsewhere].
- ``schemes`` [scheme, url]; ``links`` (http addresses); ``windows`` (addresses it tried to open).
- ``storage``: [store, key, kinds of personal numbers in the value, kinds it may hold]; the value is not kept.
- ``personal``: [kind, masked number] found in visible text.
- ``fingerprint`` of the element structure; ``vitals``: ``fcp``, ``lcp`` in ms (null = none), ``cls``.
- ``captchas``: ``list`` [kind: image | slider], ``ways_round`` (names of controls that lead past them).
- ``advertising`` [kind: label | lure | block, text].
- ``orientation``: ``turned`` [angle, text] by style sheets for one orientation, ``unread_sheets`` of
  other hosts.
- ``footer_fonts``: characters by font size; ``oversized`` images [natural, shown];
  ``seeming_targets``: below 44 px, with the pointer of a link but none [size, text].
- ``one_colour``: whether the first screen shows a single colour (where a picture was taken).
- ``axe`` (where it was asked; null = too large, absent = not installed): ``version``, ``rules`` by
  axe's rule id: ``violations`` and ``incomplete`` [text; of contrast also ratio, size, color, background].
- ``settled``: False where the page never finished loading.

Personal numbers are masked in every text that is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import groupby
from urllib.parse import urlsplit, urlunsplit

from mobile_pages.artifact import Client, Declaration, Rendering, Trouble
from mobile_pages.gather.browser import Browser
from mobile_pages.gather.page import Page, PageLimits, PageTrouble
from mobile_pages.gather.visit import Opening, StoreScreenshot, Visit
from mobile_pages.guard import Guard, Refused
from mobile_pages.proxy import FilteringProxy

__all__ = ["Opening", "StoreScreenshot", "gather_rendered", "openings_for"]

EXTRA_PARAMETERS = "utm=1&ticketId=x&a=b%26c"
TEXT_ZOOM = 1.5
"""WeChat's largest font setting. Source: 微信《小程序适老化设计指南》17 → 25.5 px."""

SECOND_LEVEL_PAGES = 5
_HASTE_SECONDS = 4.0
# A page that was seen before holds no more surprises of loading.
_KNOWN_QUIET_SECONDS = 0.2
_ONCE_MORE = ("memory", "crashed", "browser_failed")
_NO_PAGE = (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".zip", ".rar", ".apk", ".jpg", ".png", ".mp4")


def openings_for(declaration: Declaration, *, elder: bool = True) -> tuple[Opening, ...]:
    """Return the openings that the rules of version 1 read; neighbours that differ in width share a load.

    Args:
        elder: whether to open the elder edition, if one is registered, and pages it links to.
    """
    openings = [
        Opening("plain-360", watched=True, second_opinion=True),
        Opening("plain-320", width=320),
        Opening("plain-414", width=414),
        Opening("zoom-360", text_zoom=TEXT_ZOOM),
        Opening("wechat-360", client=Client.WECHAT),
        Opening("alipay-360", client=Client.ALIPAY),
        Opening("extra-360", variant="extra"),
    ]
    if declaration.signed_in_url:
        openings.append(Opening("signed-360", variant="signed"))
    if declaration.elder_url and elder:
        openings += [
            Opening("elder-360", variant="elder"),
            Opening("elder-zoom-360", variant="elder", text_zoom=TEXT_ZOOM),
            Opening("elder-page", variant="elder-pages"),
        ]
    return tuple(openings)


def gather_rendered(
    declaration: Declaration,
    browser: Browser,
    *,
    guard: Guard,
    openings: Sequence[Opening] | None = None,
    store_screenshot: StoreScreenshot,
    limits: PageLimits | None = None,
) -> tuple[Rendering, ...]:
    """Open the page in every way of ``openings`` (default: :func:`openings_for`).

    One rendering per opening, in order (of ``elder-pages`` one per page, numbered, perhaps none); what
    went wrong with a page stands in its ``trouble``. Everything the page asks for passes ``guard``; what
    it refused stands in the requests. The opening that is watched stays open beside the others, unless
    its page can do nothing more; then the tab serves the others too, and those under which the page is
    proved to be the same are copied, see :mod:`~mobile_pages.gather.likeness` and ``Rendering.same_as``.

    Raises:
        BrowserMissing: there is no browser; its ``trouble`` belongs into ``Artifact.rendered_trouble``.
    """
    chosen = openings_for(declaration) if openings is None else openings
    bounds = limits or PageLimits()
    visits = [
        Visit(_address(declaration, variant), tuple(group), bounds.watch_seconds)
        for (_, variant), group in groupby(chosen, key=lambda one: (one.client, one.variant))
    ]
    with FilteringProxy(guard) as proxy:
        tour = _Tour(visits, browser, guard, proxy.address, store_screenshot, bounds)
        tour.run()
        codes = {one.target: one.code for one in proxy.refusals()}
    return tuple(_with_refusals(one, codes) for one in tour.renderings())


class _Tour:
    """All visits of one check: the watched one in a tab of its own, as long as that tab is watched."""

    def __init__(
        self,
        visits: Sequence[Visit],
        browser: Browser,
        guard: Guard,
        proxy: str,
        store_screenshot: StoreScreenshot,
        limits: PageLimits,
    ) -> None:
        self._visits = list(visits)
        self._browser = browser
        self._guard = guard
        self._proxy = proxy
        self._store = store_screenshot
        self._limits = limits

    def renderings(self) -> list[Rendering]:
        return [one for visit in self._visits for one in visit.done]

    def run(self) -> None:
        watched = next((one for one in self._visits if one.watched), None)
        left = deque(one for one in self._visits if one is not watched)
        if watched is not None and self._may_open(watched):
            self._watch(watched, left)
        self._render_all(left)

    def _watch(self, visit: Visit, left: deque[Visit]) -> None:
        """Render the watched visit and, while it is watched, those that are left."""
        try:
            with self._open(visit) as page:
                visit.render(page, self._store)
                self._hurry_after(visit)
                if visit.is_over:
                    self._copy_alike(visit, page, left)
                    self._render_further(page, left)
                    return
                self._render_all(left, beside=page)
                if not page.gone:
                    visit.finish_watch(page)
                    return
            with self._open(visit) as page:
                visit.watch_again(page)
        except PageTrouble as error:
            failed = left.popleft() if visit.is_over else visit
            failed.miss(error.trouble)
            self._hurry_after(failed)

    def _render_all(self, left: deque[Visit], beside: Page | None = None) -> None:
        """Render the visits that are left; ``beside`` is a page of the same browser that is still open."""
        while left:
            # Linked pages are opened from the page that links to them or not at all.
            if _is_linked(left[0]) or not self._may_open(left[0]):
                left.popleft()
                continue
            innocent = beside is not None and not beside.gone
            try:
                with self._open(left[0]) as page:
                    self._render_in_one_tab(page, left)
            except PageTrouble as error:
                visit = left.popleft()
                # What broke the browser may have been the page that is being watched.
                if innocent and error.trouble.code in _ONCE_MORE:
                    visit.done.clear()
                    left.appendleft(visit)
                    continue
                visit.miss(error.trouble)
                self._hurry_after(visit)

    def _render_in_one_tab(self, page: Page, left: deque[Visit]) -> None:
        """Render visits until one leaves the tab unfit for the next."""
        stopped = False
        while not stopped:
            left[0].render(page, self._store)
            stopped = self._hurry_after(left.popleft())
            if not stopped and left and _is_linked(left[0]):
                self._render_linked(page, left[0])
                left.popleft()
            stopped = stopped or not self._can_go_on(page, left)

    def _copy_alike(self, visit: Visit, page: Page, left: deque[Visit]) -> None:
        """Spare the browser the clients and addresses under which the page is proved to be the same."""
        if page.interruption is not None or visit.client is not Client.PLAIN:
            return
        with visit.likeness(page, self._guard) as likeness:
            for other in [one for one in left if one.may_copy]:
                if likeness.holds(other.url, other.client):
                    other.copy(visit)
                    left.remove(other)

    def _render_further(self, page: Page, left: deque[Visit]) -> None:
        """Render visits in the tab of one that is over."""
        if self._can_go_on(page, left):
            self._render_in_one_tab(page, left)

    def _can_go_on(self, page: Page, left: deque[Visit]) -> bool:
        return (
            bool(left)
            and self._may_open(left[0])
            and page.start_over(left[0].client, self._limits_of(left[0]))
        )

    def _render_linked(self, page: Page, visit: Visit) -> None:
        """Render pages that the page in the tab links to, as a resident reaches them: with its cookies."""
        opening = visit.openings[0]
        before = self._visits[self._visits.index(visit) - 1].done[0]
        for number, url in enumerate(_second_level(before, [one.url for one in self._visits]), 1):
            page.go_on()
            linked = Visit(url, [replace(opening, label=f"{opening.label}-{number}")], 0.0)
            try:
                linked.render(page, self._store)
            finally:
                visit.done += linked.done

    def _open(self, visit: Visit) -> AbstractContextManager[Page]:
        return self._browser.open_page(visit.device, proxy=self._proxy, limits=self._limits_of(visit))

    def _limits_of(self, visit: Visit) -> PageLimits:
        if visit.watched:
            return self._limits
        return replace(self._limits, quiet_seconds=min(self._limits.quiet_seconds, _KNOWN_QUIET_SECONDS))

    def _may_open(self, visit: Visit) -> bool:
        try:
            self._guard.check(visit.url)
        except Refused as refused:
            visit.miss(Trouble(f"guard_{refused.code}", refused.detail_zh))
            return False
        return True

    def _hurry_after(self, visit: Visit) -> bool:
        """Say whether the page had to be stopped; one that once took all its time gets less afterwards."""
        trouble = visit.done[0].trouble
        if trouble and trouble.code == "timeout":
            load_seconds = min(self._limits.load_seconds, _HASTE_SECONDS)
            self._limits = replace(self._limits, load_seconds=load_seconds)
        return trouble is not None


def _is_linked(visit: Visit) -> bool:
    return visit.openings[0].variant == "elder-pages"


def _second_level(rendering: Rendering, known: Iterable[str]) -> list[str]:
    """Return the first addresses of the same host that the page links to, itself and files left out."""
    if not rendering.metrics:
        return []
    own = urlsplit(rendering.final_url)
    seen = {_page_of(rendering.final_url), *(_page_of(url) for url in known)}
    found = []
    for url in rendering.metrics["links"]:
        parts = urlsplit(url)
        if parts.netloc != own.netloc or parts.path.lower().endswith(_NO_PAGE) or _page_of(url) in seen:
            continue
        seen.add(_page_of(url))
        found.append(url)
    return found[:SECOND_LEVEL_PAGES]


def _page_of(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(query="", fragment=""))


def _address(declaration: Declaration, variant: str) -> str:
    if variant == "elder":
        return declaration.elder_url or declaration.url
    if variant == "signed":
        return declaration.signed_in_url or declaration.url
    if variant == "extra":
        parts = urlsplit(declaration.url)
        query = f"{parts.query}&{EXTRA_PARAMETERS}" if parts.query else EXTRA_PARAMETERS
        return urlunsplit(parts._replace(query=query))
    return declaration.url


def _with_refusals(rendering: Rendering, codes: Mapping[str, str]) -> Rendering:
    """Say of https requests that failed at the proxy why; the browser itself does not learn it."""
    requests = tuple(
        one if one.status or one.blocked_by else replace(one, blocked_by=codes.get(_endpoint(one.url), ""))
        for one in rendering.requests
    )
    return replace(rendering, requests=requests)


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 443}"
