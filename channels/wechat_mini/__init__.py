"""WeChat mini program (微信小程序)."""

from channels.wechat_mini.adapter import build
from channels.wechat_mini.settings import DESCRIPTION

__all__ = ["DESCRIPTION", "build"]
