"""How console pages say things: audit actions, tones of badges, errors by field."""

from __future__ import annotations

from collections.abc import Mapping

import marshmallow as ma

from app.core.errors import DomainError
from app.mobile_access.domain import EVENT_LABELS, State

ACTION_LABELS: Mapping[str, str] = {
    **{f"mobile_page.{event}": label for event, label in EVENT_LABELS.items()},
    "mobile_page.register": "登记",
    "mobile_page.update": "修改登记",
    "mobile_page.approve_channels": "同意接入渠道",
    "mobile_page.reject_channels": "退回接入渠道",
    "mobile_page.publish_channel": "渠道菜单已发布",
    "mobile_page.hide_entry": "入口暂时隐藏",
    "mobile_page.read_contact": "查看联系人",
    "mobile_page.open_grace": "发现必须整改，开始限期整改",
    "mobile_page.end_grace": "限期整改结束",
    "mobile_page.request_waiver": "申请暂缓整改",
    "mobile_page.approve_waiver": "同意暂缓整改",
    "mobile_page.decline_waiver": "不同意暂缓整改",
    "mobile_page.end_waiver": "暂缓整改结束",
    "mobile_page.rule": "人工核对",
    "mobile_page.prove": "补充证明材料",
}

STATE_TONES: Mapping[State, str] = {
    State.REGISTERED: "mute",
    State.CHECKING: "info",
    State.FAILED: "bad",
    State.PASSED: "info",
    State.ONLINE: "good",
    State.DEGRADED: "warn",
    State.SUSPENDED: "warn",
    State.RETIRED: "mute",
}


def problems_of(error: DomainError | ma.ValidationError) -> dict[str, str]:
    """Return one sentence per field of a form; ``""`` is the form as a whole."""
    if isinstance(error, ma.ValidationError):
        said = {name: "；".join(texts(inner)) for name, inner in error.messages_dict.items()}
        return {"": "请检查标出的各项", **said}
    return {"": str(error), **{name: "；".join(texts(inner)) for name, inner in error.fields.items()}}


def texts(said: object) -> list[str]:
    """Return every sentence in an error of any nesting, in order."""
    if isinstance(said, Mapping):
        inner = [said["message"]] if "message" in said else list(said.values())
        return [text for one in inner for text in texts(one)]
    if isinstance(said, list | tuple):
        return [text for one in said for text in texts(one)]
    return [str(said)]
