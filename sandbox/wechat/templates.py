"""Tell an account which notices are approved for it, as the platform describes them.

Source: developers.weixin.qq.com, get_all_private_template and newtmpl/gettemplate.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.config import NoticeTemplate, WechatAccount

ONCE, FOR_EVER = 2, 3
WORDS = {
    "thing": "事项",
    "time": "时间",
    "date": "日期",
    "character_string": "编号",
    "phrase": "状态",
    "name": "姓名",
    "amount": "金额",
    "number": "数量",
    "phone_number": "电话",
    "const": "说明",
}


def private(account: WechatAccount) -> list[dict[str, Any]]:
    """Return the account's template messages (模板消息)."""
    mine = (template for template in account.templates if template.kind == "template")
    return [
        {
            "template_id": template.id,
            "title": template.title,
            "primary_industry": "政府与公共事业",
            "deputy_industry": "行政机关",
            "content": _content(template, "："),
            "example": "",
        }
        for template in mine
    ]


def subscribe(account: WechatAccount) -> list[dict[str, Any]]:
    """Return the account's subscription notices (订阅通知)."""
    mine = (template for template in account.templates if template.kind == "subscribe")
    return [
        {
            "priTmplId": template.id,
            "title": template.title,
            "content": _content(template, ":"),
            "example": "",
            "type": FOR_EVER if template.long_term else ONCE,
        }
        for template in mine
    ]


def _content(template: NoticeTemplate, colon: str) -> str:
    return "".join(f"{_label(name)}{colon}{{{{{name}.DATA}}}}\n" for name in template.fields)


def _label(name: str) -> str:
    return WORDS.get(re.sub(r"[0-9]+$", "", name), "内容")
