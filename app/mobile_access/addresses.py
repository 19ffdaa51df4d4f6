"""Which addresses may be registered; what is let in here is judged again by every visit."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from app.core.errors import Invalid
from app.mobile_access.domain import DOMAIN_MAX, URL_MAX, Registration
from config.settings import Environment, Settings
from mobile_pages.guard import Guard, Policy, Refused, Target, parse_target


class AddressRefused(Invalid):
    """The outbound guard does not let an address in; ``fields`` carries its code."""

    code = "address_refused"
    title = "网址不能登记"
    title_en = "The address may not be registered"


def outbound_guard(settings: Settings) -> Guard:
    """Return the guard under the policy of this installation."""
    policy = Policy.allowing(
        ((target.cidr, target.port) for target in settings.outbound_allow),
        test_or_demo=settings.environment is not Environment.PRODUCTION,
    )
    guard = Guard(policy)
    own = settings.listens_on
    return guard.denying(own.cidr, own.port) if own else guard


def vetted(registration: Registration, guard: Guard) -> Registration:
    """Return ``registration`` with its addresses in normal form, names resolved and judged.

    Asks the name server, so call it outside transactions. A name that does not resolve passes: the
    check reports it with all the rest.

    Raises:
        AddressRefused: an address is malformed, private, or leads to the hall itself.
    """
    known = normalised(registration, guard.policy)
    for field, url in _addresses(known):
        try:
            guard.check(url)
        except Refused as refused:
            if refused.code not in {"dns_failure", "dns_empty"}:
                raise _refusal(field, refused) from None
    return known


def normalised(registration: Registration, policy: Policy) -> Registration:
    """Do what :func:`vetted` does without asking the name server.

    Raises:
        AddressRefused: as there, as far as the text alone tells.
    """
    changed = {field: _judged(field, url, policy) for field, url in _addresses(registration)}
    return replace(
        registration,
        url=changed["url"],
        elder_url=changed.get("elder_url", ""),
        health_url=changed.get("health_url", ""),
        signed_in_url=changed.get("signed_in_url", ""),
        ticket_url=changed.get("ticket_url", ""),
        expired_ticket_url=changed.get("expired_ticket_url", ""),
        domains=tuple(_domain(domain) for domain in registration.domains),
    )


def _addresses(registration: Registration) -> list[tuple[str, str]]:
    named = [
        ("url", registration.url),
        ("elder_url", registration.elder_url),
        ("health_url", registration.health_url),
        ("signed_in_url", registration.signed_in_url),
        ("ticket_url", registration.ticket_url),
        ("expired_ticket_url", registration.expired_ticket_url),
    ]
    return [(field, url) for field, url in named if url or field == "url"]


def _judged(field: str, url: str, policy: Policy) -> str:
    try:
        target = parse_target(url)
        if target.literal is not None:
            policy.judge(target.literal, target.port)
        elif _means_this_machine(target):
            policy.judge(ipaddress.ip_address("127.0.0.1"), target.port)
    except Refused as refused:
        raise _refusal(field, refused) from None
    if len(target.url) > URL_MAX:
        raise _refusal(field, Refused("too_long"))
    return target.url


def _means_this_machine(target: Target) -> bool:
    return target.host == "localhost" or target.host.endswith(".localhost")


def _domain(domain: str) -> str:
    try:
        target = parse_target(f"https://{domain}/")
    except Refused as refused:
        raise _refusal("domains", refused) from None
    if target.url != f"https://{target.host}/" or len(target.host) > DOMAIN_MAX:
        raise _refusal("domains", Refused("host_syntax"))
    return target.host


def _refusal(field: str, refused: Refused) -> AddressRefused:
    return AddressRefused(
        refused.detail_zh, fields={field: [{"code": refused.code, "message": refused.detail_zh}]}
    )
