"""Marshmallow fields and pagination that several capabilities share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import marshmallow as ma

from app.core.ids import read_id
from app.core.quiet import clock_time, minutes_of

_ANSWER_MAX = 2000
_CHOICES_MAX = 100
# Control characters, lone surrogates: nothing that a person types, everything that breaks exports.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Id(ma.fields.String):
    """A key: text of digits in JSON, because JavaScript rounds numbers above 2**53."""

    default_error_messages = {"invalid": "不是有效的编号"}

    def __init__(self, *, metadata: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        shape = {"pattern": "^[0-9]{1,19}$", "example": "4611686018427387904"}
        super().__init__(metadata={**shape, **(metadata or {})}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        key = read_id(value) if isinstance(value, str) else None
        if key is None:
            raise self.make_error("invalid")
        return key


class Text(ma.fields.String):
    """One line or more of text: stripped, bounded, free of control characters."""

    default_error_messages = {"unwanted": "含有不允许的控制字符", "empty": "不能为空"}

    def __init__(self, *, longest: int, may_be_empty: bool = False, **kwargs: Any) -> None:
        self._may_be_empty = may_be_empty
        shortest = 0 if may_be_empty else 1
        super().__init__(validate=ma.validate.Length(shortest, longest), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        if _UNWANTED.search(text):
            raise self.make_error("unwanted")
        text = text.strip()
        if not text and not self._may_be_empty:
            raise self.make_error("empty")
        return text


class Answer(ma.fields.Field[Any]):
    """One answer: text, whole number, yes or no, a list of texts; null takes it away."""

    default_error_messages = {"invalid": "不是有效的回答"}

    def __init__(self, **kwargs: Any) -> None:
        shape = {
            "oneOf": [
                {"type": "string", "maxLength": _ANSWER_MAX},
                {"type": "integer"},
                {"type": "boolean"},
                {"type": "array", "maxItems": _CHOICES_MAX, "items": {"type": "string", "maxLength": 40}},
                {"type": "null"},
            ]
        }
        super().__init__(metadata=shape, allow_none=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and len(value) <= _ANSWER_MAX:
            return value
        if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**53):
            return value
        listed = isinstance(value, list) and len(value) <= _CHOICES_MAX
        if listed and all(isinstance(one, str) and len(one) <= 40 for one in value):
            return value
        raise self.make_error("invalid")


class Moment(ma.fields.AwareDateTime):
    """A point in time that somebody sends: with a zone and in this century, so that no sum overflows."""

    def __init__(self, *, metadata: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        sane = ma.validate.Range(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        super().__init__(validate=sane, metadata={"maxLength": 40, **(metadata or {})}, **kwargs)


class TimeOfDay(ma.fields.Field[int]):
    """Minutes after midnight, written ``HH:MM``."""

    default_error_messages = {"invalid": "要写成 22:00 这样的时间"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            metadata={"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$", "example": "22:00"}, **kwargs
        )

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else clock_time(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        try:
            return minutes_of(value if isinstance(value, str) else "")
        except ValueError:
            raise self.make_error("invalid") from None


class ProblemSchema(ma.Schema):
    """RFC 9457 problem details."""

    type = ma.fields.Str(required=True, metadata={"description": "urn:hall:problem:<code>"})
    code = ma.fields.Str(required=True, metadata={"description": "稳定的错误代码"})
    title = ma.fields.Str(required=True, metadata={"description": "中文标题"})
    title_en = ma.fields.Str(required=True, metadata={"description": "英文标题"})
    status = ma.fields.Int(required=True, metadata={"description": "HTTP 状态码"})
    detail = ma.fields.Str(metadata={"description": "这一次的具体说明"})
    errors = ma.fields.Dict(keys=ma.fields.Str(), metadata={"description": "逐个字段的错误"})
    level_needed = ma.fields.Int(metadata={"description": "需要的实名等级：2 实名，3 刷脸"})
    step_up = ma.fields.Str(metadata={"description": "提高实名等级的页面"})
    request_id = ma.fields.Str(required=True, metadata={"description": "报修时请提供"})
