"""The handle on what only Alipay has: payments, codes from inside the app, consents, its own messages."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from flask import Blueprint, abort, request

from sandbox.actions import Actions
from sandbox.alipay import signing
from sandbox.alipay.api import AlipayApi
from sandbox.alipay.refusals import Refused
from sandbox.config import AlipayAccount
from sandbox.world import RESIDENT

Answer = dict[str, Any] | tuple[dict[str, Any], int]

PHONE_NUMBER = "02012345"
"""The resident's, made up: a hotline's."""


@dataclass(slots=True)
class AlipayControl:
    """The routes under ``/control/alipay/<key>``."""

    api: AlipayApi
    actions: Actions

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("alipay_control", __name__)
        add = blueprint.add_url_rule
        add("/<key>/trades", "trades", self._trades)
        add("/<key>/pay", "pay", self._pay, methods=["POST"])
        add("/<key>/codes", "codes", self._codes, methods=["POST"])
        add("/<key>/consent", "consent", self._consent, methods=["POST"])
        add("/<key>/forms", "forms", self._forms, methods=["POST"])
        add("/<key>/scan", "scan", self._scan, methods=["POST"])
        add("/<key>/ant", "ant", self._ant, methods=["POST"])
        add("/<key>/drop-grants", "drop_grants", self._drop_grants, methods=["POST"])
        return blueprint

    def _trades(self, key: str) -> Answer:
        return {"trades": [asdict(trade) for trade in self.api.trades.of(self._account(key))]}

    def _pay(self, key: str) -> Answer:
        """Pay a trade as the resident does in the app's own cashier."""
        account, theirs = self._account(key), _body().get("trade_no")
        try:
            return {"outcomes": self.api.trades.pay(account, str(theirs))}
        except Refused as refusal:
            return {"error": str(refusal)}, 409

    def _codes(self, key: str) -> Answer:
        """Give what the mini program gets on the phone: ``login`` or ``phone``."""
        account, kind = self._account(key), _body().get("kind")
        if kind == "login":
            return {"code": self.api.grants.give(account.app_id, RESIDENT, "auth_base")}
        if kind == "phone" and account.aes_key:
            return {"code": _sealed_phone(account)}
        return {"error": "kind 须是 login 或 phone；phone 需要 aes_key"}, 422

    def _consent(self, key: str) -> Answer:
        """Answer the subscription window; the app hears of it on the phone only."""
        account, asked = self._account(key), _body().get("templates")
        if not isinstance(asked, list):
            return {"error": "templates 须是数组"}, 422
        return {"allowed": [one for one in asked if self.api.notices.allow(account, str(one))]}

    def _forms(self, key: str) -> Answer:
        """Hand in a form under a number that allows one message."""
        account, form_id = self._account(key), str(_body().get("form_id", ""))
        self.api.notices.hand_in(account, form_id)
        return {"form_id": form_id}

    def _scan(self, key: str) -> Answer:
        """Scan the code at an address."""
        account = self._account(key)
        scene = self.api.media.scene_of(account, str(_body().get("value", "")))
        if scene is None:
            return {"error": "二维码已过期或不属于这个账号"}, 409
        return {"outcomes": self.actions.scan_window(account, scene)}

    def _ant(self, key: str) -> Answer:
        """Let the platform send a message of its own."""
        account, body = self._account(key), _body()
        method, told = body.get("msg_method"), body.get("biz")
        if not isinstance(method, str) or not isinstance(told, dict):
            return {"error": "须有 msg_method 和对象 biz"}, 422
        return {"outcomes": self.actions.alipay.ant(account, method, told)}

    def _drop_grants(self, key: str) -> Answer:
        """Make all user tokens of the app invalid at once."""
        self.api.grants.drop(self._account(key).app_id)
        return {"ok": True}

    def _account(self, key: str) -> AlipayAccount:
        account = self.api.world.config.account(key)
        if not isinstance(account, AlipayAccount):
            abort(404, "没有这个支付宝应用")
        return account


def _sealed_phone(account: AlipayAccount) -> str:
    """Return the number as the phone hands it to the mini program: sealed for the app, and signed."""
    plain = json.dumps({"code": "10000", "msg": "Success", "mobile": PHONE_NUMBER}).encode()
    padder = padding.PKCS7(128).padder()
    sealer = Cipher(AES(account.aes_key), CBC(bytes(16))).encryptor()
    encrypted = sealer.update(padder.update(plain) + padder.finalize()) + sealer.finalize()
    sealed = base64.b64encode(encrypted).decode()
    sign = signing.sign(account.platform_private_key, f'"{sealed}"'.encode())
    return json.dumps({"response": sealed, "sign": sign})


def _body() -> dict[str, Any]:
    body = request.get_json()
    if not isinstance(body, dict):
        abort(400, "正文须是 JSON 对象")
    return body
