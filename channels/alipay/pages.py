"""Pages inside Alipay: what they must heed there; no signature is needed (JSAPI without configuration)."""

from __future__ import annotations

from channels.base import PageRule

_JSAPI = "https://myjsapi.alipay.com/alipayjsapi/index.html"
_LOGIN = "https://opendocs.alipay.com/open/284/web"
_WEBVIEW = "https://opendocs.alipay.com/mini/component/web-view"

_READY = PageRule(
    "alipay-bridge-ready",
    "调用支付宝接口前须等待 AlipayJSBridgeReady 事件，在其他浏览器中打开时也不得报错",
    True,
    _JSAPI,
)
WINDOW_RULES = (
    _READY,
    PageRule(
        "alipay-login-domain",
        "通过支付宝登录后返回的网址，须与应用登记的“授权回调地址”的域名一致",
        True,
        _LOGIN,
    ),
    PageRule("alipay-title", "标题栏文字用 setTitle 设置，不要在页面里再画一条标题栏", False, _JSAPI),
)
MINI_RULES = (
    _READY,
    PageRule(
        "alipay-webview-domain",
        "小程序 web-view 打开的网页，其域名须登记为小程序的“H5 域名”，并放置校验文件",
        True,
        _WEBVIEW,
    ),
    PageRule("alipay-webview-https", "小程序 web-view 只打开 https 网页", True, _WEBVIEW),
)
