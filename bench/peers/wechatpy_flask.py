"""What one writes with wechatpy and Flask first: decrypt, answer, encrypt; no dedup, no database."""

from flask import Flask, request
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto

from tests.channels.platform_wechat import APP_ID, KEY, TOKEN

application = Flask(__name__)
crypto = WeChatCrypto(TOKEN, KEY, APP_ID)


@application.post("/callbacks/<key>")
def receive(key: str) -> str:
    args = request.args
    xml = crypto.decrypt_message(request.data, args["msg_signature"], args["timestamp"], args["nonce"])
    reply = create_reply("您好，已收到。", parse_message(xml))
    return crypto.encrypt_message(reply.render(), args["nonce"], args["timestamp"])


@application.get("/")
def ready() -> str:
    return "ready"
