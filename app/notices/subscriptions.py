"""Which of a platform's forms a mini program asks its resident to allow, and what the resident said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.channel_accounts import service as channel_accounts
from app.core import db
from app.core.errors import NotFound
from app.identity import service as identity
from app.notices import contacts
from app.notices.domain import LANGUAGE, Right, VersionState
from app.notices.models import Template, TemplateVersion
from app.notices.versions import version_view
from channels.base import Consent

TELLS_ITSELF = frozenset({"wechat"})
"""Platforms that push an event for each consent; what their mini programs report would count twice."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A form that may be asked for; ``remaining`` messages are allowed at present."""

    platform_template: str
    name: str
    long_term: bool
    remaining: int


def subscriptions(resident_id: int, account_key: str, now: datetime) -> list[Subscription]:
    """Return the forms that an account's published templates use, by the template's key.

    Raises:
        NotFound: no such account, or the resident is not bound to it.
    """
    account_id, subject = _bound(resident_id, account_key)
    query = (
        select(Template.name, TemplateVersion)
        .join(TemplateVersion, TemplateVersion.template_id == Template.id)
        .where(TemplateVersion.state == VersionState.PUBLISHED, TemplateVersion.language == LANGUAGE)
        .order_by(Template.key)
    )
    found: dict[str, Subscription] = {}
    for name, row in db.session().execute(query):
        for form in version_view(row).wording.forms:
            if form.account_id == account_id and form.right is Right.SUBSCRIBE:
                left = contacts.consents_left(account_id, subject, form.platform_template, now)
                one = Subscription(form.platform_template, name, form.long_term, left)
                found.setdefault(form.platform_template, one)
    return list(found.values())


def report(resident_id: int, account_key: str, consents: Sequence[Consent], now: datetime) -> bool:
    """Note what a resident answered in a mini program whose platform does not tell us.

    A false report does no harm: the platform refuses the message and the count is cleared.

    Returns:
        False when the platform tells us itself and nothing was noted.

    Raises:
        NotFound: no such account, or the resident is not bound to it.
    """
    _, subject = _bound(resident_id, account_key)
    account = channel_accounts.by_key(account_key)
    if identity.platform_of(account.kind) in TELLS_ITSELF:
        return False
    contacts.note_consents(account, subject, consents, now)
    return True


def _bound(resident_id: int, account_key: str) -> tuple[int, str]:
    account = channel_accounts.by_key(account_key)
    for address in identity.addresses(resident_id):
        if address.account_id == account.id:
            return account.id, identity.subject_of(address)
    raise NotFound("没有绑定这个渠道账号")
