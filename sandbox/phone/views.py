"""The pages of the phone: server-rendered, usable without script and from the keyboard."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as BaseResponse

from sandbox.actions import TEXT_LENGTH, ActionRefused, Actions
from sandbox.config import Account
from sandbox.world import World

BEIJING = timezone(timedelta(hours=8))
# Without script the page waits this long for an answer; with script the answer is drawn when it comes.
PATIENCE_SECONDS = 1.5
LINK = re.compile(
    r"""<a\s+href=["'](https?://[^"'<>\s]+)["'][^<>]*>([^<]*)</a>|(https?://[\w\-./:?=&%#~+,;@!$]+)"""
)


@dataclass(slots=True)
class Phone:
    """The routes under ``/phone``."""

    world: World
    actions: Actions

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("phone", __name__, template_folder="templates")
        add = blueprint.add_url_rule
        add("/", "home", self._home)
        add("/accounts", "accounts", self._accounts)
        add("/chat/<key>", "chat", self._chat)
        add("/chat/<key>/entries", "entries", self._entries)
        add("/chat/<key>/text", "text", self._text, methods=["POST"])
        add("/chat/<key>/follow", "follow", self._follow, methods=["POST"])
        add("/chat/<key>/unfollow", "unfollow", self._unfollow, methods=["POST"])
        add("/chat/<key>/tap", "tap", self._tap, methods=["POST"])
        add("/view", "view", self._view)
        add("/open", "open", self._open)
        blueprint.add_app_template_filter(rich_text, "rich_text")
        blueprint.add_app_template_filter(clock_words, "clock_words")
        blueprint.add_app_template_filter(host_of, "host_of")
        blueprint.add_app_template_global(lambda: clock_words(self.world.clock()), "phone_time")
        return blueprint

    def _home(self) -> str:
        return render_template("phone/home.html", rows=self._rows())

    def _accounts(self) -> str:
        return render_template("phone/_accounts.html", rows=self._rows())

    def _rows(self) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for account in self.world.config.accounts:
            chat = self.world.chat(account.key)
            last = chat.entries[-1] if chat.entries else None
            rows.append({"account": account, "chat": chat, "last": last})
        return rows

    def _chat(self, key: str, trouble: str = "") -> str:
        account = self._account(key)
        self._act(lambda: self.actions.enter(account))
        return render_template(
            "phone/chat.html",
            account=account,
            chat=self.world.look(key),
            menu=self.world.menus.get(key, ()),
            text_length=TEXT_LENGTH,
            trouble=trouble,
        )

    def _entries(self, key: str) -> Response:
        """Answer the bubbles alone; the header says how far they reach, so that only news is redrawn."""
        account = self._account(key)
        chat = self.world.look(key)
        response = make_response(render_template("phone/_entries.html", account=account, chat=chat))
        response.headers["X-Last-Entry"] = str(chat.entries[-1].number if chat.entries else 0)
        return response

    def _text(self, key: str) -> BaseResponse | tuple[str, int]:
        account = self._account(key)
        content = request.form.get("text", "").strip()
        if not 0 < len(content) <= TEXT_LENGTH:
            return self._chat(key, f"请输入 1 至 {TEXT_LENGTH} 个字"), 422
        if not self.world.chat(key).following:
            return self._chat(key, "请先关注"), 409
        self._act(lambda: self.actions.text(account, content))
        return self._back(key)

    def _follow(self, key: str) -> BaseResponse:
        account = self._account(key)
        self._act(lambda: self.actions.follow(account))
        return self._back(key)

    def _unfollow(self, key: str) -> BaseResponse:
        account = self._account(key)
        if self.world.chat(key).following:
            self._act(lambda: self.actions.unfollow(account))
        return self._back(key)

    def _tap(self, key: str) -> BaseResponse | tuple[str, int]:
        account = self._account(key)
        try:
            item = self.actions.menu_item(account, request.form.get("path", ""))
        except ActionRefused as error:
            return self._chat(key, str(error)), 409
        if not self.world.chat(key).following:
            return self._chat(key, "请先关注"), 409
        if item.action == "link":
            self._start(lambda: self.actions.tap(account, item))
            return redirect(url_for("phone.view", account=key, url=item.value), code=303)
        self._act(lambda: self.actions.tap(account, item))
        return self._back(key)

    def _view(self) -> str:
        account = self.world.config.account(request.args.get("account", ""))
        return render_template("phone/view.html", account=account, url=_web_url(), host=host_of(_web_url()))

    def _open(self) -> str:
        return render_template("phone/open.html", url=_web_url(), account=None)

    def _account(self, key: str) -> Account:
        account = self.world.config.account(key)
        if account is None:
            abort(404, "没有这个账号")
        return account

    def _back(self, key: str) -> BaseResponse:
        if request.headers.get("X-Phone") == "script":
            return Response(status=204)
        return redirect(url_for("phone.chat", key=key), code=303)

    def _act(self, action: Callable[[], object]) -> None:
        """Do it beside the request, so that a hall that never answers does not freeze the phone."""
        thread = self._start(action)
        if request.headers.get("X-Phone") != "script":
            thread.join(PATIENCE_SECONDS)

    def _start(self, action: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=action, daemon=True)
        thread.start()
        return thread


def rich_text(text: str) -> Markup:
    """Return message text with its links made tappable and everything else escaped."""
    parts, end = [], 0
    for found in LINK.finditer(text):
        parts.append(_lines(text[end : found.start()]))
        url = found[1] or found[3]
        label = found[2] or url
        target = url_for("phone.view", account=request.view_args and request.view_args.get("key"), url=url)
        parts.append(Markup('<a href="{}">{}</a>').format(target, label))
        end = found.end()
    return Markup("").join([*parts, _lines(text[end:])])


def clock_words(at: float) -> str:
    """Return the time of day in Guangdong, ``09:41``."""
    return datetime.fromtimestamp(at, BEIJING).strftime("%H:%M")


def host_of(url: str) -> str:
    """Return the host and port of an address, for people to see where they are."""
    return urlsplit(url).netloc


def _lines(text: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in text.split("\n"))


def _web_url() -> str:
    url = request.args.get("url", "")
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        abort(400, "只能打开 http(s) 网页")
    return url
