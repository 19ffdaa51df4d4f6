"""Where platforms tell what became of a payment. The answer is one bare word."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.core import access, clock
from app.payments import service
from channels.base import MAX_BODY_BYTES

callbacks = Blueprint("payments_callbacks", __name__)


@callbacks.route("/callbacks/<key>/payments", methods=["POST"])
@access.public("platforms sign what they send; the adapter verifies it")
def receive(key: str) -> Response:
    # One byte more than allowed is read, so that the adapter itself refuses what is too large.
    body = request.stream.read(MAX_BODY_BYTES + 1)
    word = service.receive_notification(key, body, clock.system_clock())
    return Response(word, content_type="text/plain; charset=utf-8")
