"""The demo's third-party applications: one approved, which the sandbox's person agreed to, one that waits."""

from __future__ import annotations

from datetime import datetime

from app.identity import service as identity
from app.organisations import service as organisations
from app.organisations.service import Principal, Role
from app.third_parties import service as third_parties
from app.third_parties.service import AppEvent, AppView, Caller, Registration, Scope, Stage

NAME = "居住证助手（演示）"
WAITING = "学位申请提醒（演示）"
CONSENT_DAYS = 90


def make_applications(resident_id: int | None, *, now: datetime) -> int:
    """Register an application that is approved and one that waits for a decision; return how many are new.

    Args:
        resident_id: agrees to what the approved one asks; None when nobody has signed in.
    """
    body = organisations.find_body("公安厅")
    manager = _acting(Role.SYSTEM_ADMINISTRATOR)
    operator = _acting(Role.DEPARTMENT_OPERATOR, str(body.id))
    if any(app.name == NAME for app in third_parties.listing(manager)):
        return 0
    wanted = Registration(
        name=NAME,
        purpose="在居住证办理的每一步给您发通知，不作其他用途。",
        contact="演示联系人 020-12345",
        callback_url="https://residence.example.gov.cn/back",
        sso_hosts=("residence.example.gov.cn",),
        scopes=(Scope.PAGES_READ, Scope.ITEMS_READ, Scope.SSO, Scope.MESSAGES_SEND, Scope.WEBHOOKS),
    )
    made = third_parties.register(operator, body.id, wanted, now=now)
    asked = third_parties.advance(operator, made.id, AppEvent.SUBMIT, version=made.version, now=now)
    third_parties.advance(manager, made.id, AppEvent.APPROVE, version=asked.version, now=now)
    if resident_id is not None:
        _agree(made, resident_id, now)
    wanted = Registration(
        name=WAITING,
        purpose="在学位申请开始和截止前给您发提醒，不作其他用途。",
        contact="演示联系人 020-12345",
        callback_url="",
        sso_hosts=(),
        scopes=(Scope.PAGES_READ, Scope.SSO, Scope.MESSAGES_SEND),
    )
    other = third_parties.register(operator, body.id, wanted, now=now)
    third_parties.advance(operator, other.id, AppEvent.SUBMIT, version=other.version, now=now)
    return 2


def _agree(app: AppView, resident_id: int, now: datetime) -> None:
    """Let the resident open the department's page and agree there, as by hand."""
    caller = Caller(app.id, app.name, app.body_id, Stage.PRODUCTION, 0, frozenset(Scope), ())
    ticket = identity.issue_ticket(resident_id, identity.body_audience(app.body_id), now=now)
    subject = third_parties.redeem(caller, ticket, now=now).subject
    scopes = [Scope.MESSAGES_SEND]
    token = third_parties.ask_consent(caller, subject, scopes, CONSENT_DAYS, "", now=now)
    third_parties.decide(token, resident_id, granted=True, now=now)


def _acting(role: Role, scope: str = "") -> Principal:
    """Return a principal that exists in memory only; nobody can sign in as it."""
    return Principal(0, "演示", (organisations.grant_for(role, scope),))
