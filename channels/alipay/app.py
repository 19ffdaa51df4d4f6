"""What service windows and mini programs of Alipay have in common: one app, one gateway, one pair of keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from channels.alipay import inbound, settings
from channels.alipay import media as files
from channels.alipay.cashier import AlipayCashier, read_notice
from channels.alipay.client import GatewayClient
from channels.alipay.codes import classify
from channels.alipay.credentials import credentials_of
from channels.alipay.inbound import Notification, Parameters
from channels.alipay.keys import bare_public_key, sign
from channels.alipay.login import Login
from channels.base import (
    AccountConfig,
    Capability,
    ChannelEnv,
    ChannelError,
    ChannelIdentity,
    ClientEnv,
    DeliveryReceipt,
    Envelope,
    Freshness,
    Health,
    InboundEvent,
    InboundRequest,
    Media,
    MediaId,
    Outcome,
    RawResponse,
    Rejected,
    Reply,
    UserInfo,
    dedup_digest,
)
from channels.http import HttpAnswer, skew_seconds
from channels.lacking import Lacking
from channels.payments import PaymentNotice, TradeOrder, TradeReport

_TEXT = "text/plain; charset=utf-8"
_RECEIVED = RawResponse(200, _TEXT, b"success")

APP_CAPABILITIES = frozenset({Capability.LOGIN_REFRESH, Capability.USER_INFO, Capability.LASTING_UPLOAD})


class AlipayApp(Lacking):
    """One app at Alipay."""

    kind = "alipay"

    def __init__(self, config: AccountConfig, env: ChannelEnv) -> None:
        self.account = config.account
        self.seller_id = config.value("seller_id")
        self.env = env
        self.credentials = credentials_of(config)
        gateway = config.value("gateway", "https://openapi.alipay.com/gateway.do")
        self.client = GatewayClient(env, gateway, self.credentials)
        self._login = Login(env, self.account, self.client)
        self._cashier = AlipayCashier(self.client, self.seller_id)
        self._handshake_key = bare_public_key(self.credentials.private_key)

    # Inbound

    def handshake(self, req: InboundRequest) -> RawResponse | None:
        params = inbound.read_parameters(req)
        if not inbound.is_handshake(params):
            return None
        params.check(self.credentials.theirs)
        fields = inbound.read_message(params)
        if fields.get("EventType") != inbound.CHECK_EVENT:
            raise Rejected("incomplete")
        if fields.get("AppId", self.credentials.app_id) != self.credentials.app_id:
            raise Rejected("wrong_app_id", 403)
        return self._signed_answer("<success>true</success>")

    def open(self, req: InboundRequest) -> Envelope:
        if req.method != "POST":
            raise Rejected("wrong_method", 405)
        params = inbound.read_parameters(req)
        if inbound.is_ant_message(params):
            fields = inbound.read_ant_message(params, self.credentials.theirs)
        else:
            params.check(self.credentials.theirs)
            fields = inbound.read_message(params)
        if fields.get("AppId") != self.credentials.app_id:
            raise Rejected("wrong_app_id", 403)
        freshness = _freshness(params, fields)
        return Envelope(self.kind, self.account, fields, freshness, charset=params.charset)

    def parse(self, env: Envelope) -> InboundEvent:
        return inbound.to_event(self.kind, self.account, env.fields)

    def dedup_key(self, ev: InboundEvent) -> str:
        return dedup_digest(ev)

    def seal(self, env: Envelope, reply: Reply | None) -> RawResponse:
        return _RECEIVED

    def reject(self, req: InboundRequest, rejected: Rejected) -> RawResponse:
        if _may_be_handshake(req):
            return self._signed_answer("<success>false</success><error_code>VERIFY_FAILED</error_code>")
        return RawResponse(rejected.status, _TEXT, rejected.reason.encode())

    def read_notification(self, req: InboundRequest) -> Notification:
        """Verify an asynchronous notification (异步通知), answered with the bare word ``success``.

        Raises:
            Rejected: not signed by Alipay, not for our app, or without an id.
        """
        return inbound.read_notification(req, self.credentials.theirs, self.credentials.app_id)

    # Who it is

    def exchange(self, code: str) -> ChannelIdentity:
        return self._login.exchange(code)

    def refresh(self, identity: ChannelIdentity) -> ChannelIdentity:
        return self._login.refresh(identity)

    def user_info(self, identity: ChannelIdentity) -> UserInfo:
        return self._login.user_info(identity)

    # Outbound

    def upload(self, media: Media) -> MediaId:
        if not media.lasting:
            # The platform knows no passing files; one that stays unasked is not what was wanted.
            self.need(Capability.UPLOAD)
        ending, content_type = files.image_to_wire(media)
        file = (f"upload.{ending}", media.content, content_type)
        told = self.client.send_file(
            files.UPLOAD_METHOD, "image_content", file, image_type=ending, image_name="upload"
        )
        return files.image_from_wire(told)

    def parse_receipt(self, ev: InboundEvent) -> DeliveryReceipt | None:
        return None

    def classify(self, code: str) -> Outcome:
        return classify(code)

    def detect(self, headers: Mapping[str, str]) -> ClientEnv | None:
        return settings.detect(headers)

    # Payments; see channels.payments

    def create_trade(self, order: TradeOrder, buyer: str) -> str:
        self.need(Capability.PAY)
        return self._cashier.create(order, buyer)

    def pay_address(self, order: TradeOrder, return_url: str) -> str:
        self.need(Capability.PAY)
        return self._cashier.address(order, return_url)

    def query_trade(self, number: str) -> TradeReport | None:
        self.need(Capability.PAY)
        return self._cashier.query(number)

    def close_trade(self, number: str) -> None:
        self.need(Capability.PAY)
        self._cashier.close(number)

    def refund_trade(self, number: str, request: str, amount_fen: int, reason: str) -> int:
        self.need(Capability.PAY)
        return self._cashier.refund(number, request, amount_fen, reason)

    def read_payment(self, req: InboundRequest) -> PaymentNotice:
        self.need(Capability.PAY)
        return read_notice(self.read_notification(req))

    # Operation

    def probe_with(self, answer: HttpAnswer) -> Health:
        """Return the state of an account that answered; certificates count as what tokens are elsewhere."""
        now = self.env.clock()
        store = self.credentials.store
        ends = store.expires_at() if store is not None else None
        skew = skew_seconds(now, answer)
        if ends is not None and ends <= now:
            return Health(False, now, skew, ends, "certificate_expired")
        return Health(True, now, skew, ends)

    def failed(self, error: ChannelError) -> Health:
        """Return the state of an account that did not answer."""
        return Health(ok=False, checked_at=self.env.clock(), code=error.code)

    def _signed_answer(self, verdict: str) -> RawResponse:
        inner = f"{verdict}<biz_content>{self._handshake_key}</biz_content>"
        signature = sign(self.credentials.private_key, self.credentials.sign_type, inner.encode("ascii"))
        store = self.credentials.store
        # As public implementations of the certificate mode have it; the platform's own page is silent.
        number = f"<app_cert_sn>{store.app_number}</app_cert_sn>" if store is not None else ""
        answer = (
            '<?xml version="1.0" encoding="GBK"?>'
            f"<alipay><response>{inner}</response>{number}<sign>{signature}</sign>"
            f"<sign_type>{self.credentials.sign_type}</sign_type></alipay>"
        )
        return RawResponse(200, "text/xml; charset=GBK", answer.encode("ascii"))


def _freshness(params: Parameters, fields: Mapping[str, str]) -> Freshness:
    # The platform gives no nonce. What is signed names the request as well; the signature itself does
    # not, because base64 has several spellings of one.
    digest = hashlib.sha256(params.signed()).hexdigest()
    return Freshness(inbound.created_at(fields), nonce=digest, digest=digest, binds_body=True)


def _may_be_handshake(req: InboundRequest) -> bool:
    try:
        return inbound.is_handshake(inbound.read_parameters(req))
    except Rejected:
        return False
