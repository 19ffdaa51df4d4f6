"""WeChat official account (微信公众号)."""

from channels.wechat.adapter import build
from channels.wechat.settings import DESCRIPTION

__all__ = ["DESCRIPTION", "build"]
