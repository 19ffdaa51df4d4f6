"""Writes registrations as a table with the columns of the import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.channel_accounts import service as channel_accounts
from app.core.access import Permission
from app.mobile_access.domain import THEME_LABELS, State
from app.mobile_access.registry import LIST_MAX, Filter, contact, listing
from app.mobile_access.shapes import PageView
from app.organisations import service as organisations
from app.organisations.service import Principal

_SAME = (
    "name",
    "url",
    "description",
    "hotline",
    "elder_url",
    "health_url",
    "icp_number",
    "name_reason",
    "signed_in_url",
    "ticket_url",
    "expired_ticket_url",
    "wechat_file",
    "wechat_file_text",
    "alipay_file",
)


def export_pages(by: Principal, narrowed: Filter, *, contacts: bool) -> Iterator[dict[str, str]]:
    """Give the pages in the scope of ``by`` as rows of the import; retired ones only when asked for.

    Args:
        contacts: fill in the contact persons of pages that ``by`` may register; each reading is audited,
            so this needs a running transaction.
    """
    bodies = {body.id: body.full_name for body in organisations.bodies()}
    own = {body.id for body in organisations.bodies_of(by, Permission.PAGES_REGISTER)} if contacts else set()
    labels = {kind: known.label for kind, known in channel_accounts.kinds().items()}
    for page in _pages(by, narrowed):
        row = _row(page, bodies[page.body_id], labels)
        if page.body_id in own and page.has_contact:
            row["contact_name"], row["contact_phone"] = contact(by, page.id)
        yield row


def _pages(by: Principal, narrowed: Filter) -> Iterator[PageView]:
    cursor = None
    while True:
        found = listing(by, narrowed, cursor=cursor, limit=LIST_MAX)
        wants_all = narrowed.state is not None
        yield from (page for page in found.items if wants_all or page.state is not State.RETIRED)
        cursor = found.next_cursor
        if cursor is None:
            return


def _row(page: PageView, body_name: str, labels: Mapping[str, str]) -> dict[str, str]:
    return {
        **{name: getattr(page, name) for name in _SAME},
        "body": body_name,
        "theme": THEME_LABELS[page.theme],
        "channels": "、".join(labels.get(one.kind, one.kind) for one in page.channels),
        "domains": " ".join(page.domains),
        "may_probe_paths": "是" if page.may_probe_paths else "否",
    }
