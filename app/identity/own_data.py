"""What identity holds of a resident, fact by fact with its source and date, numbers with stars."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from app.core.own_data import Held
from app.identity.delegations import delegations
from app.identity.domain import NAME_LEVEL
from app.identity.enterprises import enterprises_of, verified_at
from app.identity.merging import links
from app.identity.people import person_of
from app.identity.people_domain import ID_KIND_LABELS, DelegationState, LinkState
from app.identity.residents import view_of
from app.identity.sessions import sessions

ME, VERIFY = "identity_pages.me", "identity_pages.verify"
ENTERPRISES, DELEGATIONS = "identity_pages.enterprises", "identity_pages.delegations"
_LIVE = (DelegationState.OFFERED, DelegationState.ACTIVE)


def own_facts(resident_id: int, *, now: datetime) -> list[Held]:
    """Return what is held of who a resident is.

    Raises:
        NotFound: no such account, or it was closed.
    """
    return [
        *_of_account(resident_id),
        *_of_person(resident_id),
        *_of_ways(resident_id),
        *_of_others(resident_id),
        Held("sessions", "正在登录的地方", count=len(sessions(resident_id, now=now)), endpoint=ME),
    ]


def _of_account(resident_id: int) -> Iterator[Held]:
    view = view_of(resident_id)
    standing = "已实名" if view.level >= NAME_LEVEL else "未实名"
    made = "您第一次登录时建立"
    yield Held("account", "账户", standing, source=made, since=view.created_at, endpoint=ME, spoken=True)
    if view.phone:
        given = "您允许留下，由微信或支付宝提供"
        yield Held("phone", "手机号码", view.phone, source=given, endpoint=ME)


def _of_person(resident_id: int) -> Iterator[Held]:
    person = person_of(resident_id)
    if person is None:
        return
    told, since = "您填写，经主管部门的人口信息核对", person.verified_at
    kind = ID_KIND_LABELS[person.kind]
    yield Held("name", "姓名", person.name_masked, source=told, since=since, endpoint=VERIFY)
    yield Held("id_kind", "证件", kind, source=told, since=since, endpoint=VERIFY, spoken=True)
    yield Held("id_number", "证件号码", person.number_masked, source=told, since=since, endpoint=VERIFY)


def _of_ways(resident_id: int) -> Iterator[Held]:
    for way in view_of(resident_id).bindings:
        yield Held(
            "binding",
            "登录方式",
            way.account_name,
            source="您用它登录时绑定",
            since=way.bound_at,
            endpoint=ME,
        )
    for link in links(resident_id):
        if link.state is LinkState.MERGED:
            ways = "、".join(way.account_name for way in link.other_bindings)
            yield Held(
                "merged_account",
                "归并的账户",
                ways or "由部门建立",
                source="确认是您的以后归并",
                since=link.merged_at,
                endpoint=VERIFY,
                spoken=not ways,
            )


def _of_others(resident_id: int) -> Iterator[Held]:
    for one in enterprises_of(resident_id):
        told = "您填写，经企业登记信息核对"
        words = f"{one.name} {one.uscc_masked}"
        since = verified_at(one.id)
        yield Held("enterprise", "我的企业", words, source=told, since=since, endpoint=ENTERPRISES)
    for given in delegations(resident_id):
        if given.state not in _LIVE:
            continue
        if given.mine_to_give:
            label, who, told = "谁替我办事", given.agent_name, "您填写的授权"
        else:
            label, who, told = "我替谁办事", given.principal_name, "对方填写的授权"
        yield Held("delegation", label, who, source=told, since=given.given_at, endpoint=DELEGATIONS)
