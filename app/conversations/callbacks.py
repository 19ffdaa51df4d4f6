"""What platforms call. The body is taken as it came: each channel decodes its own charset."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.conversations import service
from app.core import access
from app.core.installation import settings
from channels.base import MAX_BODY_BYTES, InboundRequest

callbacks = Blueprint("conversations_callbacks", __name__)


@callbacks.route("/callbacks/<key>", methods=["GET", "POST"])
@access.public("platforms sign what they send; the adapter verifies it")
def receive(key: str) -> Response:
    # One byte more than allowed is read, so that the adapter itself refuses what is too large.
    body = request.stream.read(MAX_BODY_BYTES + 1) if request.method == "POST" else b""
    answer = service.receive(
        key,
        InboundRequest(request.method, request.query_string, dict(request.headers), body),
        settings().base_url,
    )
    return Response(answer.body, answer.status, content_type=answer.content_type)
