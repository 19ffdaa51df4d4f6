"""Alipay mini program (支付宝小程序)."""

from channels.alipay_mini.adapter import build
from channels.alipay_mini.settings import DESCRIPTION

__all__ = ["DESCRIPTION", "build"]
