"""JSON API of residents, for mini programs: sign in, what is mine, what is over."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from flask import request
from flask.views import MethodView

from app.core import access, clock, db, limits
from app.core.json_api import Blueprint
from app.identity import schemas, service
from app.identity.service import BindingView, ResidentView, Session, SignedIn

sign_in_api = Blueprint("sign_in", __name__, url_prefix="/sign-in", description="居民登录（小程序）")
my_api = Blueprint("my", __name__, url_prefix="/my", description="居民：我的账户、登录方式、登录记录")


def _me() -> SignedIn:
    return cast(SignedIn, access.current_resident())


@sign_in_api.route("/mini")
class MiniSignIn(MethodView):
    @sign_in_api.arguments(schemas.MiniSignInSchema())
    @sign_in_api.response(201, schemas.OpenedSessionSchema())
    @access.public("a resident signs in with a code of the platform")
    def post(self, new: dict[str, Any]) -> Session:
        """Sign in from inside a mini program"""
        limits.hit(service.STARTS_PER_ADDRESS, "sign-in-mini", request.remote_addr or "-")
        return service.sign_in_mini(new["account"], new["code"], now=clock.system_clock())


@my_api.route("")
class My(MethodView):
    @my_api.response(200, schemas.ResidentSchema())
    @access.resident()
    def get(self) -> ResidentView:
        """Get the caller's own account"""
        return service.view_of(_me().id)

    @my_api.response(204)
    @access.resident()
    @db.transactional
    def delete(self) -> None:
        """Close the caller's own account; everything that tells whose it was is deleted at once"""
        service.close(_me().id, now=clock.system_clock())


@my_api.route("/sessions")
class MySessions(MethodView):
    @my_api.response(200, schemas.ResidentSessionSchema(many=True))
    @access.resident()
    def get(self) -> list[dict[str, Any]]:
        """List where the caller is signed in, the last used first"""
        me = _me()
        found = service.sessions(me.id, now=clock.system_clock())
        return [{**asdict(one), "current": one.id == me.session_id} for one in found]

    @my_api.response(204)
    @access.resident()
    @db.transactional
    def delete(self) -> None:
        """Sign the caller out everywhere, here too"""
        service.end_all_sessions(_me().id)


@my_api.route("/sessions/<id:session_id>")
class MySession(MethodView):
    @my_api.response(204)
    @access.resident()
    @db.transactional
    def delete(self, session_id: int) -> None:
        """Sign the caller out in one place"""
        service.end_session(_me().id, session_id)


@my_api.route("/bindings")
class MyBindings(MethodView):
    @my_api.response(200, schemas.ResidentBindingSchema(many=True))
    @access.resident()
    def get(self) -> list[BindingView]:
        """List the channel accounts that sign the caller in"""
        return list(service.bindings(_me().id))


@my_api.route("/bindings/<id:binding_id>")
class MyBinding(MethodView):
    @my_api.response(204)
    @access.resident()
    @db.transactional
    def delete(self, binding_id: int) -> None:
        """Take a channel account away; the last one stays"""
        service.unbind(_me().id, binding_id)


@my_api.route("/phone")
class MyPhone(MethodView):
    @my_api.arguments(schemas.PhoneCodeSchema())
    @my_api.response(200, schemas.ResidentSchema())
    @access.resident()
    def post(self, new: dict[str, Any]) -> ResidentView:
        """Keep the phone number that the caller allowed the mini program to know"""
        me = _me()
        service.take_phone(me.id, me.account_id, new["code"])
        return service.view_of(me.id)

    @my_api.response(204)
    @access.resident()
    @db.transactional
    def delete(self) -> None:
        """Forget the caller's phone number"""
        service.forget_phone(_me().id)
