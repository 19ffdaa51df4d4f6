"""What web pages must heed inside a mini program's web view.

Source: developers.weixin.qq.com, component web-view.
"""

from __future__ import annotations

from channels.base import PageRule

_WEB_VIEW = "https://developers.weixin.qq.com/miniprogram/dev/component/web-view.html"

RULES = (
    PageRule(
        "wechat-mini-business-domain", "网页域名须登记为小程序的“业务域名”，并已按规定备案", True, _WEB_VIEW
    ),
    PageRule("wechat-mini-https", "网页及其引用的内容须使用 https 地址，证书有效", True, _WEB_VIEW),
    PageRule(
        "wechat-mini-frames",
        "页面内嵌（iframe）的网页，其域名也须登记为业务域名，尽量不要内嵌",
        True,
        _WEB_VIEW,
    ),
    PageRule(
        "wechat-mini-login", "小程序内不能跳转到微信网页授权，登录状态由小程序打开网页时带入", True, _WEB_VIEW
    ),
    PageRule(
        "wechat-mini-whole-page",
        "网页铺满小程序页面，上方不能再放其他内容，返回由小程序负责",
        False,
        _WEB_VIEW,
    ),
    PageRule("wechat-mini-payment", "网页内不能直接发起支付，须跳回小程序页面支付", False, _WEB_VIEW),
)
