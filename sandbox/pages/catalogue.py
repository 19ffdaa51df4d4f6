"""The list of sample pages and what the good ones say, read from the tables beside this module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class SamplePage:
    """One page as a department would register it.

    Attributes:
        body: the body's name exactly as annex 3 lists it, or the city's name.
        breaks: codes of the access spec the page is meant to break; empty for a good page.
        note: what is wrong with it, for people.
    """

    slug: str
    name: str
    body: str
    level: str
    region_code: str
    service_region_code: str
    theme: str
    hotline: str
    description: str
    channels: tuple[str, ...]
    icp_number: str
    has_elder: bool
    has_health: bool
    breaks: tuple[str, ...]
    note: str

    @property
    def provider(self) -> str:
        """Return the body's full public name, as it stands in the footer."""
        if self.level == "city":
            return f"{self.body}市人民政府"
        return "广东省" + self.body.removeprefix("省")

    @property
    def hotline_digits(self) -> str:
        return self.hotline.replace("-", "")

    def registration(self, base: str) -> dict[str, Any]:
        """Return the page as JSON with full addresses under ``base``, which ends with a slash."""
        url = urljoin(base, f"{self.slug}/")
        known = {name: value for name, value in asdict(self).items() if not name.startswith("has_")}
        return {
            **known,
            "url": url,
            "elder_url": url + "?style=elder" if self.has_elder else None,
            "health_url": url + "health" if self.has_health else None,
        }


def load_pages() -> dict[str, SamplePage]:
    """Return the sample pages by slug, in the order of the table."""
    rows = json.loads((HERE / "catalogue.json").read_text(encoding="utf-8"))
    pages = (
        SamplePage(**{**row, "channels": tuple(row["channels"]), "breaks": tuple(row["breaks"])})
        for row in rows
    )
    return {page.slug: page for page in pages}


def load_content() -> Mapping[str, Mapping[str, Any]]:
    """Return what the well-made pages say, by slug."""
    content: Mapping[str, Mapping[str, Any]] = json.loads((HERE / "content.json").read_text(encoding="utf-8"))
    return content
