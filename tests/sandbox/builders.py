"""Build configurations, accounts and worlds with defaults that work."""

from __future__ import annotations

from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import config
from sandbox.config import AlipayAccount, SandboxConfig, WechatAccount
from sandbox.world import World

AES_KEY = "A" * 43
NOON = 1_780_000_000.0


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@cache
def hall_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def platform_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def private_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def raw_wechat(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "wechat",
        "key": "gd-wechat",
        "name": "广东省网上办事大厅",
        "callback_url": "http://127.0.0.1:9/callbacks/gd-wechat",
        "app_id": "wxba5fad812f8e6fb9",
        "app_secret": "0123456789abcdef0123456789abcdef",
        "token": "AAAAA",
        "aes_key": AES_KEY,
        "mode": "secure",
        "original_id": "gh_97417a04a28d",
        **changes,
    }


def raw_mini(**changes: Any) -> dict[str, Any]:
    template = {
        "id": "T-progress",
        "kind": "subscribe",
        "title": "办件进度通知",
        "fields": ["thing1", "time2"],
    }
    return raw_wechat(
        **{
            "kind": "wechat_mini",
            "key": "gd-mini",
            "callback_url": "http://127.0.0.1:9/callbacks/gd-mini",
            "app_id": "wx0123456789abcdef",
            "pages": ["pages/home/home", "pages/item/item", "pages/web/web"],
            "templates": [template],
            **changes,
        }
    )


def raw_alipay(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "alipay",
        "key": "gd-alipay",
        "name": "广东政务服务窗",
        "callback_url": "http://127.0.0.1:9/callbacks/gd-alipay",
        "app_id": "2016050901000001",
        "hall_public_key_pem": public_pem(hall_key()),
        "platform_private_key_pem": private_pem(platform_key()),
        "charset": "GBK",
        "sign_type": "RSA2",
        **changes,
    }


def raw_config(accounts: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {"hall_base": "http://127.0.0.1:9", "accounts": accounts, **changes}


def a_config(*accounts: dict[str, Any], **changes: Any) -> SandboxConfig:
    return config.parse(raw_config(list(accounts) or [raw_wechat(), raw_alipay()], **changes))


def wechat_account(**changes: Any) -> WechatAccount:
    account = a_config(raw_wechat(**changes)).accounts[0]
    assert isinstance(account, WechatAccount)
    return account


def alipay_account(**changes: Any) -> AlipayAccount:
    account = a_config(raw_alipay(**changes)).accounts[0]
    assert isinstance(account, AlipayAccount)
    return account


def a_world(*accounts: dict[str, Any], clock: SetClock | None = None, **changes: Any) -> World:
    return World(a_config(*accounts, **changes), clock or SetClock())
