"""One load of one address, measured in all the ways that need no other load."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ada_url

from mobile_pages.artifact import Client, Rendering, Request, Trouble
from mobile_pages.gather import pixels
from mobile_pages.gather.likeness import Likeness
from mobile_pages.gather.measuring import (
    measure,
    measure_when_shown,
    screenshot_without_text,
    second_opinion,
    set_text_zoom,
    vitals,
    without_personal,
)
from mobile_pages.gather.page import Device, Page, PageTrouble
from mobile_pages.guard import Guard
from mobile_pages.spec import personal

StoreScreenshot = Callable[[bytes], str]
"""Keeps PNG bytes and returns their content address (sha256 hex)."""

SCREENSHOT_HEIGHT_CAP = 4000
_HEIGHT = 740
_LATE_SECONDS = 1.0
_LAST_LOOK_SECONDS = 0.05
_WHOLE_PAGE = ("entry", "elder")
# As much overflow as the rule lets pass.
_ALLOWED_PX = 1


@dataclass(frozen=True, slots=True)
class Opening:
    """One way to open the page.

    Attributes:
        label: name of the rendering, unique in one check; one of several pages gets a number behind it.
        variant: ``entry``, ``elder`` (the elder edition), ``elder-pages`` (up to five pages that the elder
            edition links to), ``signed`` (a test identity signed in) or ``extra`` (with parameters nobody
            asked for).
        watched: whether to open it over a slow network and to wait afterwards for what the page does by
            itself; of openings that share a load only the first may be.
        second_opinion: whether to ask axe-core.
    """

    label: str
    client: Client = Client.PLAIN
    width: int = 360
    text_zoom: float = 1.0
    variant: str = "entry"
    watched: bool = False
    second_opinion: bool = False


class Visit:
    """One load of ``url``. ``done`` holds one rendering per opening, in order, as far as it came."""

    def __init__(self, url: str, openings: Sequence[Opening], watch_seconds: float) -> None:
        self.url = url
        self.openings = openings
        self.done: list[Rendering] = []
        self._watch_seconds = watch_seconds
        self.is_over = False
        """Whether watching the page any longer would show nothing: it can do nothing more by itself."""

    @property
    def client(self) -> Client:
        return self.openings[0].client

    @property
    def watched(self) -> bool:
        return self.openings[0].watched

    @property
    def may_copy(self) -> bool:
        """Whether it is one look at the same page on the same screen, by another client or address."""
        return self.openings in (
            (Opening("wechat-360", client=Client.WECHAT),),
            (Opening("alipay-360", client=Client.ALIPAY),),
            (Opening("extra-360", variant="extra"),),
        )

    @property
    def device(self) -> Device:
        # The opening that is watched is also the one whose times are judged.
        return Device(self.client, self.openings[0].width, _HEIGHT, slow_network=self.watched)

    def render(self, page: Page, store_screenshot: StoreScreenshot) -> None:
        """Open the address and measure it in every way.

        Raises:
            PageTrouble: as :class:`~mobile_pages.gather.page.Page` does; ``done`` is complete all the same.
        """
        try:
            self._render(page, store_screenshot)
        except PageTrouble as error:
            self.miss(error.trouble, page)
            raise

    def finish_watch(self, page: Page) -> None:
        """Watch ``page`` for the rest of its time and note what it did.

        Raises:
            PageTrouble: it went wrong while it was watched.
        """
        try:
            page.begin_anew()
            page.watch(max(_LAST_LOOK_SECONDS, self._watch_seconds - page.still_seconds))
            self._note(page, history_length=page.history_length())
        except PageTrouble as error:
            self._note(page, trouble=error.trouble)
            raise

    def _note(self, page: Page, **changes: Any) -> None:
        # How long it took was told when it was measured.
        doings = _doings(page) | {"total_ms": self.done[0].total_ms}
        self.done[0] = replace(self.done[0], **doings, **changes)

    def watch_again(self, page: Page) -> None:
        """Open the address once more only to watch it: the browser was lost to another page meanwhile.

        Raises:
            PageTrouble: it went wrong.
        """
        page.go(self.url)
        self.finish_watch(page)

    def likeness(self, page: Page, guard: Guard) -> Likeness:
        """Return what tells whether other clients see the page that ``page`` shows."""
        return Likeness(page.observed.navigations[-1], page.requests, guard)

    def copy(self, visit: Visit) -> None:
        """Take over what another visit measured: it was proved that this one would see the same."""
        original, opening = visit.done[0], self.openings[0]
        url = personal.masked(ada_url.URL(self.url).href)
        metrics = {key: value for key, value in original.metrics.items() if key != "axe"}
        self.done = [
            replace(
                original,
                label=opening.label,
                client=opening.client,
                final_url=url,
                navigations=(url,),
                metrics=metrics | {"vitals": {**metrics["vitals"], "fcp": None, "lcp": None}},
                requests=tuple(
                    replace(one, url=url) if one.kind == "document" else one for one in original.requests
                ),
                first_text_ms=None,
                total_ms=0,
                screenshot=original.screenshot if opening.variant in _WHOLE_PAGE else None,
                same_as=original.label,
            )
        ]

    def miss(self, trouble: Trouble, page: Page | None = None) -> None:
        """Note that the openings which are not done yet could not be."""
        left = self.openings[len(self.done) :]
        self.done += [self._rendering(one, page, trouble, {}, None) for one in left]

    def _render(self, page: Page, store_screenshot: StoreScreenshot) -> None:
        unfinished = page.go(self.url)
        self.is_over = page.inert
        for index, opening in enumerate(self.openings):
            if opening.text_zoom != 1.0:
                set_text_zoom(page, opening.text_zoom)
            if index or opening.text_zoom != 1.0:
                page.resize(opening.width)
            metrics = measure(page) if unfinished or index else measure_when_shown(page)
            if opening.second_opinion:
                _add_opinion(page, metrics, unfinished or page.interruption)
            if opening.watched and not page.inert:
                # What comes late and pushes the text aside; other widths would blur the figure.
                page.watch(min(_LATE_SECONDS, self._watch_seconds) - page.still_seconds)
            # One load has its paints once.
            metrics["vitals"] = dict(self.done[0].metrics["vitals"]) if index else vitals(page)
            # Last, because it resizes the view.
            if not index:
                screenshot = _screenshot(page, opening, metrics, store_screenshot)
            elif _differs(self.done[0].metrics, opening, metrics):
                screenshot = store_screenshot(page.screenshot(_picture_height(metrics), opening.width))
            else:
                screenshot = None
            trouble = unfinished or page.interruption
            self.done.append(self._rendering(opening, page, trouble, metrics, screenshot))

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
        kept = without_personal(metrics)
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


def _add_opinion(page: Page, metrics: dict[str, Any], trouble: Trouble | None) -> None:
    if trouble is None and (opinion := second_opinion(page)) is not None:
        metrics["axe"] = opinion


def _differs(first: Mapping[str, Any], opening: Opening, metrics: Mapping[str, Any]) -> bool:
    """Say whether another width or text size shows faults that the picture of the first look does not."""
    if opening.text_zoom == 1.0:
        return bool(metrics["layout"]["overflow"] > _ALLOWED_PX)
    known = {one["selector"] for key in ("cut", "overlaps") for one in first[key]}
    return any(one["selector"] not in known for key in ("cut", "overlaps") for one in metrics[key])


def _picture_height(metrics: Mapping[str, Any]) -> int:
    return int(min(max(metrics["layout"]["height"], _HEIGHT), SCREENSHOT_HEIGHT_CAP))


def _screenshot(
    page: Page, opening: Opening, metrics: dict[str, Any], store_screenshot: StoreScreenshot
) -> str | None:
    """Keep a picture where one is of use, and settle by it what the measure could not tell."""
    if opening.variant not in _WHOLE_PAGE:
        return None
    whole = opening.client is Client.PLAIN
    height = _picture_height(metrics) if whole else _HEIGHT
    png = page.screenshot(height)
    metrics["one_colour"] = pixels.is_one_colour(png)
    contrast = metrics["contrast"]
    if whole and any(one["doubt"] and one["ink"] for one in contrast["list"]):
        contrast["list"] = pixels.settled(contrast["list"], screenshot_without_text(page, height))
    return store_screenshot(png)


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


def _masked(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(personal.masked(text) for text in texts)


def _masked_request(request: Request) -> Request:
    return replace(request, url=personal.masked(request.url))
