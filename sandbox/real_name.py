"""A provider of real-name checks: answers for made-up people, and shows the page of the face check."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from sandbox import register
from sandbox.config import Verification
from sandbox.world import World

TIME_SLACK_SECONDS = 300
SLOW_SECONDS = 12.0
NONCES_KEPT = 10_000
FACES_KEPT = 1_000
KEY = "real-name"
"""What the switches of this provider are kept under."""


@dataclass(slots=True)
class Face:
    """One face check: whose, where it leads back to, how it went."""

    number: str
    name: str
    fails: bool
    return_url: str
    result: str = "pending"


@dataclass(slots=True)
class RealNameApi:
    """The routes under ``/real-name``."""

    world: World
    told: Verification
    faces: dict[str, Face] = field(default_factory=dict)
    _nonces: deque[str] = field(default_factory=lambda: deque(maxlen=NONCES_KEPT))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("real_name", __name__, template_folder="phone/templates")
        add = blueprint.add_url_rule
        add("/v1/person", "person", self._person, methods=["POST"])
        add("/v1/enterprise", "enterprise", self._enterprise, methods=["POST"])
        add("/v1/face", "face", self._face, methods=["POST"])
        add("/v1/face/result", "face_result", self._face_result, methods=["POST"])
        add("/face/<reference>", "face_page", self._face_page)
        add("/face/<reference>", "face_done", self._face_done, methods=["POST"])
        add("/face/<reference>/back", "face_back", self._face_back)
        return blueprint

    def _person(self) -> Response:
        asked = self._opened()
        return self._answer({"result": self._compare(asked)})

    def _compare(self, asked: Mapping[str, Any]) -> str:
        found = register.citizen(str(asked.get("kind")), str(asked.get("number")))
        if found is None:
            return "not_found"
        if found.trait == register.AWAY:
            abort(503, "人口库暂停服务")
        if found.trait == register.SLOW:
            self.world.stopping.wait(SLOW_SECONDS)
        return "match" if asked.get("name") == found.name else "mismatch"

    def _enterprise(self) -> Response:
        asked = self._opened()
        found = register.company(str(asked.get("uscc")))
        if found is None:
            return self._answer({"result": "not_found"})
        same = (asked.get("name"), asked.get("legal_number")) == (found.name, found.legal_number)
        return self._answer({"result": "match" if same else "mismatch"})

    def _face(self) -> Response:
        asked = self._opened()
        found = register.citizen(str(asked.get("kind")), str(asked.get("number")))
        return_url = str(asked.get("return_url"))
        if found is None or not return_url.startswith(self.world.config.hall_base + "/"):
            abort(422, "没有这个人，或返回地址不是大厅的")
        reference = secrets.token_hex(16)
        fails = found.trait == register.FACE_FAILS
        with self._lock:
            if len(self.faces) >= FACES_KEPT:
                self.faces.pop(next(iter(self.faces)))
            self.faces[reference] = Face(found.number, found.name, fails, return_url)
        url = f"{request.url_root.rstrip('/')}/real-name/face/{reference}"
        return self._answer({"reference": reference, "url": url})

    def _face_result(self) -> Response:
        return self._answer({"result": self._known(str(self._opened().get("reference"))).result})

    def _face_page(self, reference: str) -> str:
        face = self._known(reference)
        return render_template("phone/face.html", name="*" * (len(face.name) - 1) + face.name[-1])

    def _face_done(self, reference: str) -> BaseResponse:
        face = self._known(reference)
        if face.result == "pending":
            good = request.form.get("face") == "own" and not face.fails
            face.result = "passed" if good else "failed"
        return redirect(f"{request.url}/back", 303)

    def _face_back(self, reference: str) -> str:
        return render_template("phone/face_back.html", url=self._known(reference).return_url)

    def _known(self, reference: str) -> Face:
        face = self.faces.get(reference)
        if face is None:
            abort(404, "没有这次核验")
        return face

    def _opened(self) -> dict[str, Any]:
        """Return what the hall asks, when it signed it just now and for the first time."""
        if self.world.switches.use(KEY, "api_fail"):
            abort(503, "暂停服务")
        body, args = request.get_data(), request.args
        names = ("app", "time", "nonce", "sign")
        if sorted(args) != sorted(names) or args["app"] != self.told.app:
            abort(401, "参数不对")
        path = request.path.removeprefix("/real-name")
        said = ("POST", path, args["app"], args["time"], args["nonce"], sha256(body).hexdigest())
        if not hmac.compare_digest(self._sign("\n".join(said)).encode(), args["sign"].encode()):
            abort(401, "签名不对")
        if not args["time"].isdecimal() or abs(self.world.clock() - int(args["time"])) > TIME_SLACK_SECONDS:
            abort(401, "时间差得太多")
        with self._lock:
            if args["nonce"] in self._nonces:
                abort(401, "这个请求来过了")
            self._nonces.append(args["nonce"])
        found = json.loads(body)
        if not isinstance(found, dict):
            abort(422, "须是 JSON 对象")
        return found

    def _answer(self, told: Mapping[str, str]) -> Response:
        said = json.dumps(told, ensure_ascii=False)
        sign = self._sign(f"{request.args['nonce']}\n{said}")
        if self.world.switches.use(KEY, "api_wrong_signature"):
            sign = sign[::-1]
        return Response(json.dumps({"answer": said, "sign": sign}), content_type="application/json")

    def _sign(self, said: str) -> str:
        return hmac.new(self.told.secret.encode(), said.encode(), sha256).hexdigest()
