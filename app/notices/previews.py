"""What each channel would show of a version, filled with its samples; and trying it on a real phone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from app.channel_accounts import service as channel_accounts
from app.channel_accounts.service import AccountView
from app.core import audit, db
from app.notices import contacts, health, outcomes
from app.notices import wording as words
from app.notices.domain import RIGHT_LABELS, PlatformForm, Right, Way, Wording, way_of
from app.notices.planning import MINI_PAGE, NEEDED
from app.notices.versions import form_problem, notification_of, version
from channels.base import Capability, ChannelError, PlatformTemplate, Reply, SendResult


@dataclass(frozen=True, slots=True)
class Preview:
    """What one channel would show.

    Attributes:
        lines: name of the field (``""`` for plain words) and what stands in it.
        problem: why the platform would refuse it; ``""`` when it would not.
    """

    label: str
    account_name: str
    lines: tuple[tuple[str, str], ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """How a test on one way ended; ``result`` None when there was no consent, window or leave to send."""

    way: str
    result: SendResult | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FormAccount:
    """An account that takes forms of its platform's, and whether the platform lists them."""

    account: AccountView
    rights: tuple[Right, ...]
    lists: bool


def way_label(way: str) -> str:
    """Return a way's name for people, e.g. ``微信公众号模板消息``; ``大厅消息`` for the hall."""
    found = way_of(way)
    if found is None:
        return "大厅消息"
    kinds = channel_accounts.kinds()
    kind = kinds[found.kind].label if found.kind in kinds else found.kind
    return f"{kind}{RIGHT_LABELS[found.right]}"


def possible_ways() -> list[str]:
    """Return every way that the kinds of channels of this hall may have."""
    return [str(Way(kind, right)) for kind in channel_accounts.kinds() for right in Right]


def previews(wording: Wording) -> list[Preview]:
    """Return what the hall and every account with a form would show, the hall first."""
    values = words.samples(wording)
    title, body = words.filled(wording.title, values), words.filled(wording.body, values)
    names = {one.id: one for one in channel_accounts.accounts(active_only=False)}
    found = [Preview("大厅消息", "我的消息", (("", title), ("", body)))]
    for form in wording.forms:
        account = names.get(form.account_id)
        label = way_label(str(Way(account.kind, form.right))) if account else RIGHT_LABELS[form.right]
        lines = tuple((name, words.filled(text, values)) for name, text in form.fields.items())
        problem = form_problem(form, values)
        found.append(Preview(label, account.name if account else "账号已删除", lines, problem))
    return found


def form_accounts() -> list[FormAccount]:
    """Return the accounts that take forms, by kind and key."""
    found = []
    for account in channel_accounts.accounts():
        has = channel_accounts.adapter(account.id).capabilities
        rights = tuple(one for one in (Right.SUBSCRIBE, Right.TEMPLATE) if NEEDED[one] in has)
        if rights:
            found.append(FormAccount(account, rights, Capability.TEMPLATE_LIST in has))
    return found


def platform_templates(account_id: int) -> tuple[PlatformTemplate, ...]:
    """Ask the platform which forms it has approved for an account.

    Raises:
        NotFound: no such account.
        ChannelError: the platform refused, or was not reached.
    """
    return channel_accounts.adapter(account_id).list_templates()


@dataclass(frozen=True, slots=True)
class _Call:
    way: Way
    form: PlatformForm | None
    trial: bool
    subject: str = field(repr=False)


def send_test(
    version_id: int, account_id: int, subject: str, *, base_url: str, by: str, now: datetime
) -> list[Tried]:
    """Send a version with its samples to one user id, on the account's ways until one takes it.

    Consents, quota, pace and breaker hold as for everybody. No transaction may be open.

    Raises:
        NotFound: no such version or account.
    """
    wording, account = version(version_id).wording, channel_accounts.get(account_id)
    tried: list[Tried] = []
    for way in (one for one in map(way_of, wording.order) if one is not None and one.kind == account.kind):
        call = db.transaction(lambda: _leave(way, wording, account, subject, now))  # noqa: B023  run at once
        if isinstance(call, str):
            tried.append(Tried(str(way), None, call))
            continue
        result = _call(call, wording, account, base_url)
        db.transaction(lambda: _note(call, account, result, by, version_id, now))  # noqa: B023
        tried.append(Tried(str(way), result))
        if outcomes.verdict_on(result) in (outcomes.Verdict.ACCEPTED, outcomes.Verdict.UNKNOWN):
            break
    return tried


def _leave(way: Way, wording: Wording, account: AccountView, subject: str, now: datetime) -> _Call | str:
    forms = [one for one in wording.forms if one.account_id == account.id and one.right is way.right]
    form = forms[0] if forms else None
    if NEEDED[way.right] not in channel_accounts.adapter(account.id).capabilities:
        return "unsupported"
    if way.right is not Right.SERVICE and form is None:
        return "no_form"
    standing = contacts.standing(account.id, subject, now)
    if way.right is Right.SERVICE and not standing.may_write:
        return "window_closed"
    if form is not None and way.right is Right.SUBSCRIBE:
        if standing.contact_id is None:
            return "no_consent"
        taken = contacts.take_consent(
            standing.contact_id, form.platform_template, now, long_term=form.long_term
        )
        if taken is None:
            return "no_consent"
    leave = health.admit(account.id, way.right, now)
    return leave.reason if leave.retry_at is not None else _Call(way, form, leave.trial, subject)


def _call(call: _Call, wording: Wording, account: AccountView, base_url: str) -> SendResult:
    adapter, values = channel_accounts.adapter(account.id), words.samples(wording)
    page = MINI_PAGE if call.way.kind.endswith("_mini") else f"{base_url}/me/messages"
    try:
        if call.form is None:
            text = f"{words.filled(wording.title, values)}\n{words.filled(wording.body, values)}\n{page}"
            return adapter.send(call.subject, Reply(text=text))
        return adapter.send_notification(call.subject, notification_of(call.form, values, page=page))
    except ChannelError as error:
        return SendResult(error.outcome, code=error.code)


def _note(
    call: _Call, account: AccountView, result: SendResult, by: str, version_id: int, now: datetime
) -> None:
    ok = outcomes.is_healthy(result)
    health.report(account.id, ok=ok, trial=call.trial, code=result.code, now=now)
    detail = {"way": str(call.way), "account": account.key, "outcome": result.outcome.value}
    audit.record(by, "notice.test", "notice_template_version", version_id, detail)
