"""Alipay service window (支付宝服务窗、生活号)."""

from channels.alipay.adapter import build
from channels.alipay.settings import DESCRIPTION

__all__ = ["DESCRIPTION", "build"]
