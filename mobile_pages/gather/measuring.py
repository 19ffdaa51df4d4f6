"""What is asked of an open page, and how what it answers is made fit to be kept."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from mobile_pages.gather.page import Page
from mobile_pages.spec import personal

_SCRIPTS = Path(__file__).parent / "script"
_AXE = Path(__file__).parent / "vendor" / "axe.min.js"
_TEXT_WAIT_SECONDS = 5.0
_TEXT_STEP_SECONDS = 0.5
_FEW_CHARACTERS = 20
_SHOW_TEXT = (
    "document.adoptedStyleSheets"
    " = document.adoptedStyleSheets.filter((one) => one !== globalThis.hidingSheet); 0"
)


def measure(page: Page) -> dict[str, Any]:
    """Return what the one-pass page script measures; keys stand in ``rendered.py``."""
    metrics: dict[str, Any] = page.evaluate(_measure_script())
    return metrics


def measure_when_shown(page: Page) -> dict[str, Any]:
    """Measure, and give a page that still shows nothing some seconds more to draw itself."""
    metrics = measure(page)
    waited = 0.0
    while metrics["text"]["length"] < _FEW_CHARACTERS and waited < min(_TEXT_WAIT_SECONDS, page.patience):
        page.watch(_TEXT_STEP_SECONDS)
        waited += _TEXT_STEP_SECONDS
        metrics = measure(page)
    return metrics


def vitals(page: Page) -> dict[str, Any]:
    """Return the times of paints and how far the layout jumped."""
    times: dict[str, Any] = page.evaluate(_source("vitals.js"))
    return times


def second_opinion(page: Page) -> dict[str, Any] | None:
    """Return what axe-core says of the page, None where it is not installed or gave no answer."""
    if not _AXE.is_file():
        return None
    # In one go: the document may be another one the next time.
    answer: dict[str, Any] | None = page.evaluate(f"{_axe_source()};\n{_axe_script()}")
    return answer


def set_text_zoom(page: Page, factor: float) -> None:
    """Scale text as the web views of WeChat do; a page may forbid it with ``!important``."""
    value = json.dumps(f"{factor:.0%}")
    page.evaluate(
        "(document.body || document.documentElement)"
        f".style.setProperty('-webkit-text-size-adjust', {value}, 'important')"
    )


def screenshot_without_text(page: Page, height: int) -> bytes:
    """Return a picture of what stands behind the text; the page then looks as before."""
    page.evaluate(_source("hide_text.js"))
    try:
        return page.screenshot(height)
    finally:
        page.evaluate(_SHOW_TEXT)


def without_personal(metrics: dict[str, Any]) -> dict[str, Any]:
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


@cache
def _source(name: str) -> str:
    return _in_ascii(_SCRIPTS / name)


@cache
def _axe_source() -> str:
    return _in_ascii(_AXE)


def _in_ascii(script: Path) -> str:
    """Return a script with other letters escaped: one of them doubles what the browser copies and parses."""
    return script.read_text(encoding="utf-8").encode("ascii", "backslashreplace").decode("ascii")


@cache
def _measure_script() -> str:
    parts = "\n".join(_source(path.name) for path in sorted(_SCRIPTS.glob("[0-9]_*.js")))
    # The document may still be without a root while it is parsed.
    return (
        "(async () => { if (!document.documentElement) throw new Error('empty document');\n"
        f"{parts}\nreturn {{ ...textPart, ...layoutPart, ...contentPart, ...carePart }}; }})()"
    )


@cache
def _axe_script() -> str:
    return f"(async () => {{ {_source('1_kit.js')}\n{_source('axe.js')} }})()"
