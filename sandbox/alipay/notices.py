"""Template messages: a service window's to its followers, a mini program's to who asked for them.

Source: alipay.open.public.message.single.send and alipay.open.app.mini.templatemessage.send.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.alipay.refusals import SUCCESS, Payload, Refused
from sandbox.config import AlipayAccount, NoticeTemplate
from sandbox.world import Article, World

FRAME = {"head_color", "url", "action_name"}
KEYWORD_LENGTH = 50


@dataclass(slots=True)
class Notices:
    """What residents allowed, and what was sent."""

    world: World
    _allowed: dict[tuple[str, str], int] = field(default_factory=dict)
    _forms: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allow(self, account: AlipayAccount, template_id: str) -> bool:
        """Answer the subscription window; False when the app has no such template."""
        if _template(account, template_id, "subscribe") is None:
            return False
        with self._lock:
            self._allowed[account.key, template_id] = self._allowed.get((account.key, template_id), 0) + 1
        return True

    def hand_in(self, account: AlipayAccount, form_id: str) -> None:
        """Hand in a form: its number allows one message."""
        with self._lock:
            self._forms.add((account.key, form_id))

    def window(self, account: AlipayAccount, body: Payload) -> Payload:
        """Send a service window's template message.

        Raises:
            Refused: nobody follows, no such template, or other values than it asks for.
        """
        if not self.world.chat(account.key).following:
            raise Refused("40004", "USER_NOT_FOLLOW", "用户未关注")
        given = body.get("template")
        template = _template(
            account, given.get("template_id") if isinstance(given, dict) else None, "template"
        )
        context = given.get("context") if isinstance(given, dict) else None
        if template is None:
            raise Refused("40004", "TEMPLATE_NOT_EXIST", "消息模板不存在")
        values = _values(
            {k: v for k, v in context.items() if k not in FRAME} if isinstance(context, dict) else {}
        )
        self._show(account, template, values, str(context.get("url", "")) if context else "")
        return {**SUCCESS, "msg_id": str(self.world.next_number())}

    def mini(self, account: AlipayAccount, body: Payload) -> Payload:
        """Send a mini program's message.

        Raises:
            Refused: no such template or page, other values than it asks for, or nobody allowed it.
        """
        template = _template(account, body.get("user_template_id"), "subscribe")
        if template is None:
            raise Refused("40004", "USER_TEMPLATE_ILLEGAL", "用户模板非法")
        page = body.get("page")
        if not isinstance(page, str) or page.partition("?")[0] not in account.pages:
            raise Refused("40004", "INVALID_PARAMETER", "page 不是已发布的页面")
        try:
            data = json.loads(body["data"]) if isinstance(body.get("data"), str) else None
        except ValueError:
            data = None
        values = _values(data)
        if any(len(value) > KEYWORD_LENGTH for value in values.values()):
            raise Refused("40004", "USER_KEYWORD_LENGTH_ERROR", "关键词超长")
        self._check_names(template, values)
        self._use_up(account, template, body.get("form_id"))
        self._show(account, template, values, "")
        return dict(SUCCESS)

    def _use_up(self, account: AlipayAccount, template: NoticeTemplate, form_id: Any) -> None:
        with self._lock:
            if form_id is not None:
                if (account.key, form_id) not in self._forms:
                    raise Refused("40004", "FORM_ID_ILLEGAL", "form_id 不存在或已使用")
                self._forms.discard((account.key, form_id))
                return
            left = self._allowed.get((account.key, template.id), 0)
            if not left:
                raise Refused("40004", "USER_NOT_SUBSCRIBE", "用户未订阅")
            if not template.long_term:
                self._allowed[account.key, template.id] = left - 1

    def _check_names(self, template: NoticeTemplate, values: Mapping[str, str]) -> None:
        if set(values) != set(template.fields) or not all(values.values()):
            raise Refused("40004", "TEMPLATE_KEYWORD_ILLEGAL", "与模板的关键词不一致")

    def _show(
        self, account: AlipayAccount, template: NoticeTemplate, values: Mapping[str, str], url: str
    ) -> None:
        self._check_names(template, values)
        text = "\n".join(values[name] for name in template.fields)
        self.world.say(account.key, "account", "", (Article(template.title, text, url),))


def _template(account: AlipayAccount, template_id: Any, kind: str) -> NoticeTemplate | None:
    return next((one for one in account.templates if one.id == template_id and one.kind == kind), None)


def _values(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise Refused("40004", "INVALID_PARAMETER", "消息内容须是对象")
    values: dict[str, str] = {}
    for name, part in given.items():
        value = part.get("value") if isinstance(part, dict) else None
        if not isinstance(value, str):
            raise Refused("40004", "INVALID_PARAMETER", "关键词须有文字 value")
        values[name] = value
    return values
