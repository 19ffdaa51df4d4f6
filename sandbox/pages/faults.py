"""The faulty sample pages: each breaks the rules its row in the catalogue names, and no others on purpose."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from sandbox.pages.catalogue import SamplePage

HANG_SECONDS = 60.0
DRIP_SECONDS = 0.2
DRIPS = 3_000

Fault = Callable[[SamplePage, threading.Event], "BaseResponse | str"]


def answer(page: SamplePage, stopping: threading.Event) -> BaseResponse | str:
    """Return the page with its faults; most of them lie in the template of the same name."""
    special = FAULTS.get(page.slug)
    return special(page, stopping) if special is not None else _plain(page)


def _plain(page: SamplePage) -> str:
    return render_template(f"pages/bad/{page.slug}.html", page=page)


def _blank_in_alipay(page: SamplePage, _stopping: threading.Event) -> str:
    in_alipay = "AlipayClient" in request.headers.get("User-Agent", "")
    return render_template("pages/bad/caizheng.html", page=page, in_alipay=in_alipay)


def _gbk_called_utf8(page: SamplePage, _stopping: threading.Event) -> Response:
    response = Response(_plain(page).encode("gbk"))
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    return response


def _redirect_loop(page: SamplePage, _stopping: threading.Event) -> BaseResponse:
    return redirect(f"/{page.slug}/" if request.args.get("from") else f"/{page.slug}/?from=home")


def _hang(page: SamplePage, stopping: threading.Event) -> Response:
    stopping.wait(HANG_SECONDS)
    return make_response(f"{page.name}：系统繁忙", 504)


def _download(page: SamplePage, _stopping: threading.Event) -> Response:
    response = Response(b"PK\x05\x06" + bytes(18), mimetype="application/zip")
    response.headers["Content-Disposition"] = "attachment; filename=forms.zip"
    return response


def _endless(page: SamplePage, stopping: threading.Event) -> Response:
    head = _plain(page)

    def drip() -> Iterator[str]:
        yield head
        for number in range(DRIPS):
            if stopping.wait(DRIP_SECONDS):
                return
            yield f"<p>第 {number + 1} 条公告正在载入</p>\n"

    return Response(drip(), mimetype="text/html")


FAULTS: dict[str, Fault] = {
    "caizheng": _blank_in_alipay,
    "shenji": _gbk_called_utf8,
    "guangdian": _redirect_loop,
    "zhuanli": _hang,
    "zhuhai-biaoge": _download,
    "zhongshan-zhibo": _endless,
}
