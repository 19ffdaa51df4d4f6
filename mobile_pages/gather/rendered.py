"""Opens a page as residents' phones would and measures it.

Keys of ``Rendering.metrics`` (written by the files in ``script``; lengths in CSS px of the document).
Every list holds objects with ``selector``, ``snippet``, ``box`` (x, y, width, height) and, where repeats
are grouped, ``count``; what else they hold stands in brackets.

- ``layout``: ``client_width`` (of the layout viewport), ``scroll_width``, ``height``, ``overflow`` (px
  beyond the width), ``hidden`` (root or body hides it), ``offenders`` [over], ``fixed_widths`` [width]
  (containers wider than 480 px and than the screen), ``plugins`` [type].
- ``text``: ``length`` (visible characters without blanks), ``sample``, ``glyph_height`` (mean, grows with
  text zoom).
- ``fonts``, ``body_fonts``: characters by font size (the latter without headings, buttons, navigation).
- ``contrast``: ``checked`` runs and ``list`` of failing or doubtful ones [ratio, needed, size, color,
  background, text, doubt: ``""`` | ``image`` | ``gradient`` | ``effect`` | ``color``].
- ``cut``: text cut off by its box [direction, text]; ``overlaps``: text on other text [text, under].
- ``paragraphs``: ``count`` of several lines, ``list`` [ratio of line pitch to font size, gap to the next
  paragraph in line pitches or null, size, lines, text].
- ``targets``: ``count``, ``main``, ``list`` of those below 60 px [size, crowded, main, text]; links inside
  sentences are left out.
- ``title``, ``lang``, ``viewport``, ``headings`` [[level, text]], ``main_button``, ``main_button_box``,
  ``fields`` (labels in order), ``inputs`` [type, mode, autocomplete, label, name, read_only],
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
- ``settled``: False where the page never finished loading.

Personal numbers are masked in every text that is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from mobile_pages.artifact import Client, Declaration, Rendering, Request, Trouble
from mobile_pages.gather.browser import Browser
from mobile_pages.gather.page import Device, Page, PageLimits, PageTrouble
from mobile_pages.guard import Guard, Refused
from mobile_pages.proxy import FilteringProxy
from mobile_pages.spec import personal

StoreScreenshot = Callable[[bytes], str]
"""Keeps PNG bytes and returns their content address (sha256 hex)."""

SCREENSHOT_HEIGHT_CAP = 4000
EXTRA_PARAMETERS = "utm=1&ticketId=x&a=b%26c"
TEXT_ZOOM = 1.5
"""WeChat's largest font setting. Source: 微信《小程序适老化设计指南》17 → 25.5 px."""

_SCRIPTS = Path(__file__).parent / "script"
_HEIGHT = 740
_TEXT_WAIT_SECONDS = 5.0
_TEXT_STEP_SECONDS = 0.5
_LATE_SECONDS = 1.0
_HASTE_SECONDS = 4.0
_FEW_CHARACTERS = 20


@dataclass(frozen=True, slots=True)
class Opening:
    """One way to open the page.

    Attributes:
        label: name of the rendering, unique in one check.
        variant: ``entry``, ``elder`` (the elder edition) or ``extra`` (with parameters nobody asked for).
        watched: whether to open it over a slow network and to wait afterwards for what the page does by
            itself; of openings that share a load only the first may be.
    """

    label: str
    client: Client = Client.PLAIN
    width: int = 360
    text_zoom: float = 1.0
    variant: str = "entry"
    watched: bool = False


def openings_for(declaration: Declaration) -> tuple[Opening, ...]:
    """Return the openings that the rules of version 1 read; neighbours that differ in width share a load."""
    openings = [
        Opening("plain-360", watched=True),
        Opening("plain-320", width=320),
        Opening("plain-414", width=414),
        Opening("zoom-360", text_zoom=TEXT_ZOOM),
        Opening("wechat-360", client=Client.WECHAT),
        Opening("alipay-360", client=Client.ALIPAY),
        Opening("extra-360", variant="extra"),
    ]
    if declaration.elder_url:
        openings.append(Opening("elder-360", variant="elder"))
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

    One rendering per opening, in order; what went wrong with a page stands in its ``trouble``.
    Everything the page asks for passes ``guard``; what it refused stands in the requests.

    Raises:
        BrowserMissing: there is no browser; its ``trouble`` belongs into ``Artifact.rendered_trouble``.
    """
    chosen = openings_for(declaration) if openings is None else openings
    renderings: list[Rendering] = []
    bounds = limits or PageLimits()
    for (client, variant), group in groupby(chosen, key=lambda one: (one.client, one.variant)):
        visit = _Visit(_address(declaration, variant), client, tuple(group), bounds)
        renderings += visit.render(browser, guard, store_screenshot)
        if (trouble := renderings[-1].trouble) and trouble.code == "timeout":
            # A page that once took all its time gets less in the openings that follow.
            bounds = replace(bounds, load_seconds=min(bounds.load_seconds, _HASTE_SECONDS))
    return tuple(renderings)


class _Visit:
    """One load of one address, measured at several widths."""

    def __init__(self, url: str, client: Client, openings: tuple[Opening, ...], limits: PageLimits) -> None:
        self._url = url
        self._openings = openings
        self._limits = limits
        # The opening that is watched is also the one whose times are judged.
        slow = openings[0].watched
        self._device = Device(client=client, width=openings[0].width, height=_HEIGHT, slow_network=slow)

    def render(self, browser: Browser, guard: Guard, store_screenshot: StoreScreenshot) -> list[Rendering]:
        try:
            guard.check(self._url)
        except Refused as refused:
            return self._missed(Trouble(f"guard_{refused.code}", refused.detail_zh), [], None)
        done: list[Rendering] = []
        with FilteringProxy(guard) as proxy:
            try:
                with browser.open_page(self._device, proxy=proxy.address, limits=self._limits) as page:
                    self._render_all(page, store_screenshot, done)
            except PageTrouble as error:
                done += self._missed(error.trouble, done, None)
            codes = {one.target: one.code for one in proxy.refusals()}
        return [_with_refusals(one, codes) for one in done]

    def _render_all(self, page: Page, store_screenshot: StoreScreenshot, done: list[Rendering]) -> None:
        try:
            self._render(page, store_screenshot, done)
            if self._openings[0].watched:
                page.watch(self._limits.watch_seconds - page.still_seconds)
                done[0] = replace(done[0], **_doings(page), history_length=page.history_length())
        except PageTrouble as error:
            missed = self._missed(error.trouble, done, page)
            if not missed:  # it went wrong while it was watched
                done[0] = replace(done[0], **_doings(page), trouble=error.trouble)
            done += missed
            raise

    def _render(self, page: Page, store_screenshot: StoreScreenshot, done: list[Rendering]) -> None:
        unfinished = page.go(self._url)
        for index, opening in enumerate(self._openings):
            if index:
                page.resize(opening.width)
            if opening.text_zoom != 1.0:
                page.evaluate(_zoom_script(opening.text_zoom))
                page.resize(opening.width)
            metrics = _measure(page) if unfinished or index else _measure_when_shown(page)
            if opening.watched:
                # What comes late and pushes the text aside; other widths would blur the figure.
                page.watch(min(_LATE_SECONDS, self._limits.watch_seconds))
            metrics["vitals"] = page.evaluate(_vitals_script())
            # Last, because it resizes the view.
            screenshot = None if index else store_screenshot(page.screenshot(_shot_height(metrics)))
            trouble = unfinished or page.interruption
            done.append(self._rendering(opening, page, trouble, metrics, screenshot))

    def _missed(self, trouble: Trouble, done: list[Rendering], page: Page | None) -> list[Rendering]:
        return [self._rendering(one, page, trouble, {}, None) for one in self._openings[len(done) :]]

    def _rendering(
        self,
        opening: Opening,
        page: Page | None,
        trouble: Trouble | None,
        metrics: dict[str, Any],
        screenshot: str | None,
    ) -> Rendering:
        base = Rendering(
            label=opening.label,
            client=opening.client,
            width=opening.width,
            height=_HEIGHT,
            text_zoom=opening.text_zoom,
            trouble=trouble,
        )
        if page is None:
            return base
        kept = _without_personal(metrics)
        if metrics:
            windows = list(_masked(page.observed.windows))
            kept |= {"windows": windows, "settled": trouble is None}
        return replace(
            base,
            **_doings(page),
            title=kept.get("title", ""),
            metrics=kept,
            history_length=page.history_length() if metrics else 1,
            first_text_ms=metrics["vitals"]["fcp"] if metrics else None,
            screenshot=screenshot,
        )


def _doings(page: Page) -> dict[str, Any]:
    """Return the fields of a rendering that tell what the page has done so far."""
    seen = page.observed
    return {
        "final_url": personal.masked(seen.navigations[-1]) if seen.navigations else "",
        "requests": tuple(_masked_request(one) for one in page.requests),
        "exceptions": _masked(seen.exceptions),
        "dialogs": _masked(seen.dialogs),
        "downloads": _masked(seen.downloads),
        "navigations": _masked(seen.navigations),
        "total_ms": page.elapsed_ms,
    }


def _address(declaration: Declaration, variant: str) -> str:
    if variant == "elder":
        return declaration.elder_url or declaration.url
    if variant == "extra":
        parts = urlsplit(declaration.url)
        query = f"{parts.query}&{EXTRA_PARAMETERS}" if parts.query else EXTRA_PARAMETERS
        return urlunsplit(parts._replace(query=query))
    return declaration.url


def _measure_when_shown(page: Page) -> dict[str, Any]:
    """Measure, and give a page that still shows nothing some seconds more to draw itself."""
    metrics = _measure(page)
    waited = 0.0
    while metrics["text"]["length"] < _FEW_CHARACTERS and waited < min(_TEXT_WAIT_SECONDS, page.patience):
        page.watch(_TEXT_STEP_SECONDS)
        waited += _TEXT_STEP_SECONDS
        metrics = _measure(page)
    return metrics


def _measure(page: Page) -> dict[str, Any]:
    metrics: dict[str, Any] = page.evaluate(_measure_script())
    return metrics


@cache
def _measure_script() -> str:
    parts = "\n".join(path.read_text(encoding="utf-8") for path in sorted(_SCRIPTS.glob("[0-9]_*.js")))
    # The document may still be without a root while it is parsed.
    return (
        "(async () => { if (!document.documentElement) throw new Error('empty document');\n"
        f"{parts}\nreturn {{ ...textPart, ...layoutPart, ...contentPart }}; }})()"
    )


@cache
def _vitals_script() -> str:
    return (_SCRIPTS / "vitals.js").read_text(encoding="utf-8")


def _zoom_script(factor: float) -> str:
    """Scale text as the web views of WeChat do; a page may forbid it with ``!important``."""
    value = json.dumps(f"{factor:.0%}")
    return (
        "(document.body || document.documentElement)"
        f".style.setProperty('-webkit-text-size-adjust', {value}, 'important')"
    )


def _shot_height(metrics: dict[str, Any]) -> int:
    return int(min(max(metrics["layout"]["height"], _HEIGHT), SCREENSHOT_HEIGHT_CAP))


def _without_personal(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the metrics with every personal number masked and stored values reduced to what they hold."""
    if not metrics:
        return {}
    kept: dict[str, Any] = {key: _clean(value) for key, value in metrics.items() if key != "storage"}
    kept["storage"] = [
        [store, personal.masked(key), *_kinds(f"{key}={value}")] for store, key, value in metrics["storage"]
    ]
    hits = personal.find(metrics["text"]["all"])
    kept["personal"] = [[hit.kind.value, hit.shown] for hit in hits if hit.certain][:20]
    kept["text"].pop("all")
    return kept


def _kinds(text: str) -> tuple[list[str], list[str]]:
    """Return the kinds of personal numbers in ``text``, first those that are certain, then the others."""
    hits = personal.find(text)
    certain = {hit.kind.value for hit in hits if hit.certain}
    return sorted(certain), sorted({hit.kind.value for hit in hits} - certain)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return personal.masked(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    return value


def _masked(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(personal.masked(text) for text in texts)


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


def _masked_request(request: Request) -> Request:
    return replace(request, url=personal.masked(request.url))
