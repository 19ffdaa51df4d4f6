"""A paper (文书) as one HTML document: for the screen with the hall's style sheet, or whole for printing."""

from __future__ import annotations

from pathlib import Path

import segno
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from app.applications.service import Paper

STYLE = Path(__file__).parent.parent / "core" / "static" / "core" / "paper.css"
_ENVIRONMENT = Environment(
    loader=PackageLoader("app.applications"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def as_html(paper: Paper, *, base_url: str, for_print: bool, back: str = "", pdf: str = "") -> str:
    """Return the paper; it says what was issued, whenever it is asked for.

    Args:
        for_print: the style stands inside, for a browser without network.
        back, pdf: addresses of the page it came from and of its PDF, for the screen.
    """
    progress = f"{base_url}/progress?number={paper.content['case_number']}"
    return _ENVIRONMENT.get_template("applications/paper.html").render(
        paper=paper,
        content=paper.content,
        code=Markup(segno.make(progress, micro=False).svg_inline(scale=3, border=2)),
        style=Markup(STYLE.read_text(encoding="utf-8")) if for_print else "",
        back=back,
        pdf=pdf,
    )
