"""The open API: what third parties call with signed requests, and a resident's own consents."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Response, url_for
from flask.views import MethodView

from app.core import access, clock, db, idempotency
from app.core.idempotency import Answer
from app.core.installation import settings
from app.core.json_api import Blueprint
from app.mobile_access import service as mobile_access
from app.third_parties import schemas, service
from app.third_parties.authenticator import tell_what_is_left
from app.third_parties.domain import CONSENT_REQUEST_LIFE
from app.third_parties.service import Caller, Scope, Stage

open_api = Blueprint(
    "open_api", __name__, url_prefix="/open", description="第三方应用：签名调用，按能力、限额和群众同意"
)
my_consents = Blueprint(
    "my_consents", __name__, url_prefix="/my/consents", description="我的授权：查看、结束"
)
BLUEPRINTS = (open_api, my_consents)
_sent = schemas.OpenSentSchema()
open_api.after_app_request(tell_what_is_left)


def _caller() -> Caller:
    found: Any = access.current_partner()
    assert isinstance(found, Caller)
    return found


@open_api.route("/self")
class Self(MethodView):
    @open_api.response(200, schemas.OpenSelfSchema())
    @access.partner(Scope.SELF_READ)
    def get(self) -> dict[str, Any]:
        """Get who is calling, with which scopes, and what is left of the quota"""
        caller = _caller()
        return {
            "id": caller.id,
            "name": caller.name,
            "stage": caller.stage,
            "scopes": sorted(caller.scopes),
            "remaining": caller.remaining,
            "now": clock.system_clock(),
        }


@open_api.route("/pages")
class Pages(MethodView):
    @open_api.arguments(schemas.OpenPageQuerySchema(), location="query")
    @open_api.response(200, schemas.OpenPageListSchema())
    @access.partner(Scope.PAGES_READ)
    def get(self, query: dict[str, Any]) -> mobile_access.PublishedList:
        """List published pages, or search them"""
        return mobile_access.published(query.pop("theme", None), query.pop("query", None), **query)


@open_api.route("/sso/tickets")
class SsoTickets(MethodView):
    @open_api.arguments(schemas.OpenTicketSchema())
    @open_api.response(200, schemas.OpenSignedInSchema())
    @access.partner(Scope.SSO)
    @db.transactional
    def post(self, given: dict[str, str]) -> service.SignedIn:
        """Redeem a single sign-on ticket: once, within a minute"""
        return service.redeem(_caller(), given["ticket"], now=clock.system_clock())


@open_api.route("/sandbox/tickets")
class SandboxTickets(MethodView):
    @open_api.arguments(schemas.OpenSampleSchema())
    @open_api.response(201, schemas.OpenTicketSchema())
    @access.partner(Scope.SSO)
    @db.transactional
    def post(self, wanted: dict[str, int]) -> dict[str, str]:
        """Get a ticket of one of the sandbox's made-up people"""
        return {"ticket": service.sample_ticket(_caller(), wanted["sample"], now=clock.system_clock())}


@open_api.route("/consent-requests")
class ConsentRequests(MethodView):
    @open_api.arguments(schemas.OpenAskSchema())
    @open_api.response(201, schemas.OpenQuestionSchema())
    @access.partner(Scope.SSO)
    @db.transactional
    def post(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Ask a resident for consent; open the address on the resident's phone"""
        now, caller = clock.system_clock(), _caller()
        token = service.ask_consent(caller, **asked, now=now)
        page = "sandbox_consent" if caller.stage is Stage.SANDBOX else "consent"
        path = url_for(f"third_parties_resident_pages.{page}", token=token)
        return {"url": settings().base_url + path, "expires_at": now + CONSENT_REQUEST_LIFE}


@open_api.route("/consents")
class Consents(MethodView):
    @open_api.arguments(schemas.OpenSubjectQuerySchema(), location="query")
    @open_api.response(200, schemas.OpenConsentListSchema())
    @open_api.alt_response(404, "NOT_FOUND")
    @access.partner(Scope.SSO)
    def get(self, query: dict[str, str]) -> dict[str, Any]:
        """List what a resident agrees to at present"""
        return {"items": service.state_of(_caller(), query["subject"], now=clock.system_clock())}


@open_api.route("/messages")
class Messages(MethodView):
    @open_api.arguments(schemas.OpenNewMessageSchema())
    @open_api.response(202, _sent)
    @access.partner(Scope.MESSAGES_SEND)
    def post(self, new: dict[str, Any]) -> Response:
        """Send a notice to a resident who agreed; once per reference, which carries one message only"""
        caller, now = _caller(), clock.system_clock()

        def work() -> Answer:
            sent = service.send_message(
                caller,
                new["subject"],
                new["template"],
                new["data"],
                page_id=new["page_id"],
                reference=new["reference"],
                now=now,
            )
            return Answer(202, json.dumps(_sent.dump(sent)))

        # The reference may be short or Chinese, which no Idempotency-Key is.
        key = hashlib.sha256(new["reference"].encode()).hexdigest()
        asked = json.dumps(new, sort_keys=True).encode()
        answer = idempotency.answer_once(
            f"{caller.actor}:{caller.stage}", "open.messages", key, asked, work, now=now
        )
        return Response(answer.body, answer.status, content_type="application/json")


@open_api.route("/webhooks")
class Webhooks(MethodView):
    @open_api.response(200, schemas.OpenWebhookListSchema())
    @access.partner(Scope.WEBHOOKS)
    def get(self) -> dict[str, Any]:
        """List one's webhooks in this environment"""
        caller = _caller()
        return {"items": service.webhooks_of(caller.id, caller.stage)}

    @open_api.arguments(schemas.OpenNewWebhookSchema())
    @open_api.response(201, schemas.OpenWebhookMadeSchema())
    @access.partner(Scope.WEBHOOKS)
    def post(self, new: dict[str, Any]) -> dict[str, Any]:
        """Set up a webhook; its secret is shown only now"""
        caller, now = _caller(), clock.system_clock()
        url = service.vetted_url(new["url"], mobile_access.outbound_guard(settings()))
        made, secret = db.transaction(
            lambda: service.add_webhook(
                caller.id, caller.stage, url, new["events"], actor=caller.actor, now=now
            )
        )
        return {"webhook": made, "secret": secret}


@open_api.route("/webhooks/<id:webhook_id>")
class Webhook(MethodView):
    @open_api.response(200, schemas.OpenWebhookSchema())
    @access.partner(Scope.WEBHOOKS)
    def get(self, webhook_id: int) -> service.WebhookView:
        """Get a webhook"""
        caller = _caller()
        return service.get_webhook(caller.id, caller.stage, webhook_id)

    @open_api.arguments(schemas.OpenWebhookChangeSchema())
    @open_api.response(200, schemas.OpenWebhookSchema())
    @access.partner(Scope.WEBHOOKS)
    @db.transactional
    def put(self, new: dict[str, Any], webhook_id: int) -> service.WebhookView:
        """Change what a webhook gets, stop it, or start it again"""
        caller = _caller()
        return service.change_webhook(
            caller.id,
            caller.stage,
            webhook_id,
            version=new["version"],
            kinds=new["events"],
            active=new["active"],
            actor=caller.actor,
        )

    @open_api.response(204)
    @access.partner(Scope.WEBHOOKS)
    @db.transactional
    def delete(self, webhook_id: int) -> None:
        """Take a webhook away for good"""
        caller = _caller()
        service.remove_webhook(caller.id, caller.stage, webhook_id, actor=caller.actor)


@open_api.route("/webhooks/<id:webhook_id>/secret")
class WebhookSecret(MethodView):
    @open_api.response(201, schemas.OpenSecretSchema())
    @access.partner(Scope.WEBHOOKS)
    @db.transactional
    def post(self, webhook_id: int) -> dict[str, str]:
        """Get a new secret; for a day both sign"""
        caller, now = _caller(), clock.system_clock()
        secret = service.rotate_secret(caller.id, caller.stage, webhook_id, actor=caller.actor, now=now)
        return {"secret": secret}


@open_api.route("/webhooks/<id:webhook_id>/pings")
class WebhookPings(MethodView):
    @open_api.response(202, schemas.OpenEventRefSchema())
    @access.partner(Scope.WEBHOOKS)
    @db.transactional
    def post(self, webhook_id: int) -> dict[str, int]:
        """Have a test sent; it is tried once"""
        caller = _caller()
        return {"event_id": service.ping(caller.id, caller.stage, webhook_id, now=clock.system_clock())}


@open_api.route("/webhooks/<id:webhook_id>/deliveries")
class WebhookDeliveries(MethodView):
    @open_api.response(200, schemas.OpenDeliveryListSchema())
    @access.partner(Scope.WEBHOOKS)
    def get(self, webhook_id: int) -> dict[str, Any]:
        """List the last deliveries with every try, newest first"""
        caller = _caller()
        found = service.get_webhook(caller.id, caller.stage, webhook_id)
        return {"items": service.deliveries([found.id])}


@open_api.route("/deliveries/<id:delivery_id>/redelivery")
class Redelivery(MethodView):
    @open_api.response(202)
    @access.partner(Scope.WEBHOOKS)
    @db.transactional
    def post(self, delivery_id: int) -> None:
        """Have a delivery made once more, at once"""
        caller = _caller()
        service.redeliver(caller.id, caller.stage, delivery_id, now=clock.system_clock())


@my_consents.route("")
class MyConsents(MethodView):
    @my_consents.response(200, schemas.MyConsentListSchema())
    @access.resident()
    def get(self) -> dict[str, Any]:
        """List what one agreed to, what is in force first"""
        return {"items": service.consents_of(access.current_resident().id, now=clock.system_clock())}


@my_consents.route("/<id:consent_id>/uses")
class MyUses(MethodView):
    @my_consents.response(200, schemas.MyUseListSchema())
    @access.resident()
    def get(self, consent_id: int) -> dict[str, Any]:
        """List the last uses of a consent, newest first"""
        return {"items": service.uses_of(access.current_resident().id, consent_id)}


@my_consents.route("/<id:consent_id>")
class MyConsent(MethodView):
    @my_consents.response(204)
    @access.resident()
    @db.transactional
    def delete(self, consent_id: int) -> None:
        """End a consent at once"""
        service.end_consent(access.current_resident().id, consent_id, now=clock.system_clock())
