"""Pictures that apps hand over, and codes the platform draws: of a scene, or of a mini program's page."""

from __future__ import annotations

import io
import secrets
import threading
from dataclasses import dataclass, field

import segno
from flask import Blueprint, Response, abort

from sandbox.alipay.refusals import SUCCESS, Payload, Refused
from sandbox.config import AlipayAccount
from sandbox.world import World

SCENE_SECONDS = 1800
IMAGE_TYPES = {
    "png": b"\x89PNG",
    "jpg": b"\xff\xd8\xff",
    "jpeg": b"\xff\xd8\xff",
    "gif": b"GIF8",
    "bmp": b"BM",
}


@dataclass(frozen=True, slots=True)
class Code:
    """A drawn code; ``expires_at`` is None for one that never ends."""

    account: str
    says: str
    scene: str = ""
    expires_at: float | None = None


@dataclass(slots=True)
class Media:
    """Everything that is fetched as a picture."""

    world: World
    _codes: dict[str, Code] = field(default_factory=dict)
    _images: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("alipay_media", __name__)
        blueprint.add_url_rule("/codes/<name>.png", "code", self._code)
        blueprint.add_url_rule("/images/<name>", "image", self._image)
        return blueprint

    def upload(self, kind: str, content: bytes, base: str) -> Payload:
        """Take a picture.

        Raises:
            Refused: it is none.
        """
        if kind not in IMAGE_TYPES or not content.startswith(IMAGE_TYPES[kind]):
            raise Refused("40004", "INVALID_PARAMETER", "图片格式不正确")
        name = secrets.token_hex(12)
        with self._lock:
            self._images[name] = (kind, content)
        return {**SUCCESS, "image_id": name, "image_url": f"{base}images/{name}"}

    def scene_code(self, account: AlipayAccount, body: Payload, base: str) -> Payload:
        """Draw a code that reports a scene.

        Raises:
            Refused: no scene, or a time it cannot last.
        """
        info = body.get("code_info")
        scene = info.get("scene", {}).get("scene_id") if isinstance(info, dict) else None
        if not isinstance(scene, str) or not scene:
            raise Refused("40004", "INVALID_PARAMETER", "缺少 scene_id")
        lasting = body.get("code_type") == "PERM"
        seconds = str(body.get("expire_second", SCENE_SECONDS))
        if not lasting and not (seconds.isdecimal() and 0 < int(seconds) <= SCENE_SECONDS):
            raise Refused("40004", "INVALID_PARAMETER", "expire_second 不正确")
        ends = None if lasting else self.world.clock() + int(seconds)
        url = self._draw(Code(account.key, f"sandbox-scene:{scene}", scene, ends), base)
        return {**SUCCESS, "code_img": url, **({} if lasting else {"expire_second": seconds})}

    def page_code(self, account: AlipayAccount, body: Payload, base: str) -> Payload:
        """Draw a code that opens a page of a mini program.

        Raises:
            Refused: the page is not published, or a parameter is missing.
        """
        page, query = body.get("url_param"), body.get("query_param")
        if page not in account.pages:
            raise Refused("40004", "INVALID_PARAMETER", "url_param 不是已发布的页面")
        if not isinstance(query, str) or not query or not body.get("describe"):
            raise Refused("40004", "INVALID_PARAMETER", "缺少 query_param 或 describe")
        says = f"alipays://platformapi/startapp?appId={account.app_id}&page={page}&query={query}"
        return {**SUCCESS, "qr_code_url": self._draw(Code(account.key, says), base)}

    def scene_of(self, account: AlipayAccount, picture: str) -> str | None:
        """Return the scene of the code at that address, while it lasts."""
        with self._lock:
            code = self._codes.get(picture.rpartition("/")[2].removesuffix(".png"))
        if code is None or code.account != account.key or not code.scene:
            return None
        if code.expires_at is not None and self.world.clock() > code.expires_at:
            return None
        return code.scene

    def _draw(self, code: Code, base: str) -> str:
        name = secrets.token_hex(12)
        with self._lock:
            self._codes[name] = code
        return f"{base}codes/{name}.png"

    def _code(self, name: str) -> Response:
        with self._lock:
            code = self._codes.get(name)
        if code is None:
            abort(404)
        drawn = io.BytesIO()
        segno.make(code.says, micro=False).save(drawn, kind="png", scale=8)
        return Response(drawn.getvalue(), mimetype="image/png")

    def _image(self, name: str) -> Response:
        with self._lock:
            found = self._images.get(name)
        if found is None:
            abort(404)
        return Response(found[1], mimetype=f"image/{found[0]}")
