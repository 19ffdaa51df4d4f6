"""Screenshots with what is wrong drawn on them, as the HTML report shows them."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

from mobile_pages.artifact import Client
from mobile_pages.report.document import Screenshot
from mobile_pages.report.view import FindingView, ReportView, RuleView

ReadPicture = Callable[[str], bytes | None]
"""Gives the PNG bytes kept under a content address, None when they are gone."""

_PNG_START = b"\x89PNG\r\n\x1a\n"
_HEADER_BYTES = 24
_CLIENTS = {Client.PLAIN: "手机浏览器", Client.WECHAT: "微信", Client.ALIPAY: "支付宝"}
_VARIANTS = {"elder": "长辈版", "zoom": "大字号", "extra": "带多余参数"}
_MARGIN_PX = 36
_LEAST_HEIGHT_PX = 120
_MOST_HEIGHT_PX = 420


@dataclass(frozen=True, slots=True)
class Mark:
    """A box on a picture, CSS px; ``grave`` when its rule alone keeps the page from being published."""

    x: float
    y: float
    width: float
    height: float
    title: str
    grave: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A screenshot in the size of its CSS px.

    Attributes:
        id: unique in the document.
        data: ``data:`` address.
    """

    id: str
    label: str
    caption: str
    data: str
    width: int
    height: int
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Cutout:
    """The part of a picture around one finding."""

    picture: Picture
    top: float
    height: float
    mark: Mark


def pictures_of(page: ReportView, prefix: str, read: ReadPicture) -> tuple[Picture, ...]:
    """Return the first picture and all with something wrong on them; those that are gone are left out."""
    made = [picture for one in page.screenshots if (picture := _picture(one, page, prefix, read)) is not None]
    return tuple(picture for index, picture in enumerate(made) if index == 0 or picture.marks)


def cutout_of(finding: FindingView, rule: RuleView, pictures: tuple[Picture, ...]) -> Cutout | None:
    """Return the part of a picture that shows ``finding``, None when no picture does."""
    shot = finding.screenshot
    picture = next((one for one in pictures if shot is not None and one.label == shot.label), None)
    if picture is None or (mark := _mark(finding, rule, picture.width, picture.height)) is None:
        return None
    height = min(max(mark.height + 2 * _MARGIN_PX, _LEAST_HEIGHT_PX), _MOST_HEIGHT_PX, picture.height)
    middle = mark.y + min(mark.height, height) / 2
    top = min(max(middle - height / 2, 0), picture.height - height)
    return Cutout(picture, top, height, mark)


def _picture(one: Screenshot, page: ReportView, prefix: str, read: ReadPicture) -> Picture | None:
    content = read(one.sha256)
    if content is None or len(content) < _HEADER_BYTES or not content.startswith(_PNG_START):
        return None
    across, down = struct.unpack(">II", content[16:_HEADER_BYTES])
    height = round(down * one.width / max(across, 1))
    marks = [
        _mark(finding, rule, one.width, height)
        for section in page.sections
        for rule in section.rules
        for finding in rule.findings
        if finding.screenshot == one
    ]
    return Picture(
        id=f"{prefix}-{one.label}",
        label=one.label,
        caption=_caption(one),
        data=f"data:image/png;base64,{b64encode(content).decode()}",
        width=one.width,
        height=height,
        marks=tuple(mark for mark in marks if mark is not None),
    )


def _caption(one: Screenshot) -> str:
    variant = _VARIANTS.get(one.label.partition("-")[0], "")
    return f"{_CLIENTS[one.client]}，宽 {one.width}" + (f"，{variant}" if variant else "")


def _mark(finding: FindingView, rule: RuleView, width: int, height: int) -> Mark | None:
    """Return the finding's box cut to the picture, so that an element wider than the screen shows too."""
    if finding.box is None:
        return None
    left, top, across, down = finding.box
    x, y = max(left, 1.0), max(top, 1.0)
    right, bottom = min(left + across, width - 1.0), min(top + down, height - 1.0)
    if right <= x or bottom <= y:
        return None
    return Mark(x, y, right - x, bottom - y, title=f"{rule.code} {rule.title}", grave=rule.blocks)
