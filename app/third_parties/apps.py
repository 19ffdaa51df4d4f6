"""Applications: asked for by a department, decided by staff who manage channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, or_, select, update

from app.core import audit, db, vault
from app.core.access import Permission
from app.core.errors import Invalid, NotFound, Stale
from app.organisations import service as organisations
from app.organisations.service import Principal
from app.third_parties.domain import (
    CHOOSABLE,
    CONTACT_MAX,
    DEFAULT_QUOTA,
    HOST,
    HOSTS_MAX,
    NAME_MAX,
    PER_DAY_MAX,
    PER_MINUTE_MAX,
    PURPOSE_MAX,
    PURPOSE_MIN,
    REASON_MAX,
    URL_MAX,
    AppEvent,
    AppState,
    MoveNotAllowed,
    Quota,
    Scope,
    ScopeState,
    Stage,
    move,
)
from app.third_parties.models import App, AppQuota, AppScope, Purpose
from app.third_parties.shapes import AppView, Registration
from mobile_pages.guard import Refused, parse_target

OBJECT = "partner_app"
CONTACT_FIELD = "partner_contact"
MANAGE = Permission.CHANNELS_MANAGE
ASK = Permission.PAGES_REGISTER


def register(by: Principal, body_id: int, wanted: Registration, *, now: datetime) -> AppView:
    """Put an application down as a draft of the body.

    Raises:
        NotFound: the body lies outside the scope of ``by``.
        Invalid: a value breaks a rule.
    """
    if not (organisations.covers(by, MANAGE, body_id) or organisations.covers(by, ASK, body_id)):
        raise NotFound("没有这个单位")
    _check(wanted)
    row = App(
        body_id=body_id,
        name=wanted.name.strip(),
        contact_token=vault.seal(CONTACT_FIELD, wanted.contact.strip()),
        callback_url=wanted.callback_url,
        sso_hosts=list(wanted.sso_hosts),
        purpose_version=1,
        state=AppState.DRAFT,
        reason="",
        version=1,
        created_at=now,
        created_by=by.actor,
        changed_at=now,
    )
    db.writing().add(row)
    db.writing().flush()
    db.writing().add(Purpose(app_id=row.id, version=1, text=wanted.purpose.strip(), created_at=now))
    _ask(row.id, wanted.scopes, by.actor, now)
    audit.record(by.actor, "partner_app.register", OBJECT, row.id, {"body": str(body_id)})
    return _views([row])[0]


def change_app(by: Principal, app_id: int, wanted: Registration, *, version: int, now: datetime) -> AppView:
    """Change what is said of an application; the department does so in drafts only.

    A new purpose is a new version of it: consents given before stay with the words they were given to.

    Raises:
        NotFound: no such application in the scope of ``by``.
        MoveNotAllowed: it was handed in, and ``by`` does not manage channels.
        Invalid, Stale: as everywhere.
    """
    row = load(by, app_id)
    if row.state is AppState.CLOSED or (row.state is not AppState.DRAFT and not _manages(by, row)):
        raise MoveNotAllowed
    _check(wanted)
    values: dict[str, Any] = {}
    if wanted.purpose.strip() != purpose_of(row.id, row.purpose_version):
        values["purpose_version"] = row.purpose_version + 1
    if wanted.contact.strip() != contact_of(row):
        vault.forget(row.contact_token)
        values["contact_token"] = vault.seal(CONTACT_FIELD, wanted.contact.strip())
    _touch(
        row,
        version,
        now,
        name=wanted.name.strip(),
        callback_url=wanted.callback_url,
        sso_hosts=list(wanted.sso_hosts),
        **values,
    )
    if "purpose_version" in values:
        db.writing().add(
            Purpose(
                app_id=row.id, version=values["purpose_version"], text=wanted.purpose.strip(), created_at=now
            )
        )
    _ask(row.id, wanted.scopes, by.actor, now)
    audit.record(by.actor, "partner_app.change", OBJECT, row.id, {"purpose": row.purpose_version})
    return _views([row])[0]


def advance(
    by: Principal, app_id: int, event: AppEvent, *, version: int, now: datetime, reason: str = ""
) -> AppView:
    """Hand in, take back or close (the department); approve, return, suspend, resume (who manages channels).

    Approving grants every scope that is still asked for.

    Raises:
        NotFound: no such application in the scope of ``by``.
        MoveNotAllowed: not from this state, or not by this person.
        Invalid: returned or suspended without a reason.
        Stale: somebody decided first.
    """
    row = load(by, app_id)
    if event in _BY_MANAGERS and not _manages(by, row):
        raise MoveNotAllowed
    reason = reason.strip()
    if event in (AppEvent.RETURN, AppEvent.SUSPEND) and not 1 <= len(reason) <= REASON_MAX:
        raise Invalid("请填写理由", fields={"reason": [f"1 至 {REASON_MAX} 个字"]})
    after, before = move(row.state, event), row.state
    _touch(row, version, now, state=after, reason=reason[:REASON_MAX])
    if event is AppEvent.APPROVE:
        for scope, state in scopes_of([row.id])[row.id].items():
            if state is ScopeState.ASKED:
                _decide(row.id, scope, ScopeState.GRANTED, by.actor, now)
    detail = {"from": before.value, "to": after.value, "reason": reason}
    audit.record(by.actor, f"partner_app.{event}", OBJECT, row.id, detail)
    return _views([row])[0]


def ask_scopes(by: Principal, app_id: int, scopes: Iterable[Scope], *, now: datetime) -> AppView:
    """Ask for more scopes; those refused before may be asked for again.

    Raises:
        NotFound: no such application in the scope of ``by``.
        MoveNotAllowed: it is closed.
        Stale: somebody changed it in this moment.
    """
    row = load(by, app_id)
    if row.state is AppState.CLOSED:
        raise MoveNotAllowed
    # A new version: whoever approves what they saw before must look again.
    _touch(row, row.version, now)
    asked = _ask(row.id, tuple(scopes), by.actor, now)
    audit.record(by.actor, "partner_app.ask_scopes", OBJECT, row.id, {"scopes": asked})
    return _views([row])[0]


def decide_scope(by: Principal, app_id: int, scope: Scope, *, grant: bool, now: datetime) -> AppView:
    """Grant or take away one scope in production.

    Raises:
        NotFound: no such application, or it never asked for the scope.
    """
    row = load(by, app_id, MANAGE)
    if scope not in scopes_of([row.id])[row.id]:
        raise NotFound("没有申请这项能力")
    state = ScopeState.GRANTED if grant else ScopeState.REFUSED
    _decide(row.id, scope, state, by.actor, now)
    audit.record(
        by.actor, "partner_app.decide_scope", OBJECT, row.id, {"scope": scope.value, "state": state.value}
    )
    return _views([row])[0]


def set_quota(by: Principal, app_id: int, stage: Stage, quota: Quota) -> None:
    """Set how often an application may call in one environment.

    Raises:
        NotFound: no such application.
        Invalid: out of bounds.
    """
    row = load(by, app_id, MANAGE)
    if not (1 <= quota.per_minute <= PER_MINUTE_MAX and 1 <= quota.per_day <= PER_DAY_MAX):
        raise Invalid(
            "限额超出范围",
            fields={"per_minute": [f"1 至 {PER_MINUTE_MAX}"], "per_day": [f"1 至 {PER_DAY_MAX}"]},
        )
    own = db.writing().get(AppQuota, (row.id, stage))
    if own is None:
        own = AppQuota(app_id=row.id, stage=stage, per_minute=0, per_day=0)
        db.writing().add(own)
    own.per_minute, own.per_day = quota.per_minute, quota.per_day
    db.writing().flush()
    detail = {"stage": stage.value, "per_minute": quota.per_minute, "per_day": quota.per_day}
    audit.record(by.actor, "partner_app.set_quota", OBJECT, row.id, detail)


def quota_of(app_id: int, stage: Stage) -> Quota:
    """Return how often an application may call in one environment."""
    own = db.session().get(AppQuota, (app_id, stage))
    return Quota(own.per_minute, own.per_day) if own else DEFAULT_QUOTA[stage]


def listing(by: Principal) -> list[AppView]:
    """Return the applications in the scope of ``by``: those to decide first, then by name."""
    query = select(App).where(_visible(by)).order_by(App.state != AppState.SUBMITTED, App.name, App.id)
    return _views(list(db.session().scalars(query)))


def get_app(by: Principal, app_id: int) -> AppView:
    """Return one application.

    Raises:
        NotFound: no such application in the scope of ``by``.
    """
    return _views([load(by, app_id)])[0]


def contact(by: Principal, app_id: int) -> str:
    """Return name and telephone of the contact.

    Raises:
        NotFound: no such application in the scope of ``by``.
    """
    return contact_of(load(by, app_id))


def may_manage(by: Principal, app_id: int) -> bool:
    """Tell whether ``by`` decides on this application.

    Raises:
        NotFound: no such application in the scope of ``by``.
    """
    return _manages(by, load(by, app_id))


def load(by: Principal, app_id: int, permission: Permission | None = None) -> App:
    """Return the row of an application in the scope of ``by``, by ``permission`` or any of the two.

    Raises:
        NotFound: there is none.
    """
    visible = organisations.scope_condition(by, permission, App.body_id) if permission else _visible(by)
    row = db.session().scalar(select(App).where(App.id == app_id, visible))
    if row is None:
        raise NotFound("没有这个应用")
    return row


def scopes_of(app_ids: Iterable[int]) -> dict[int, dict[Scope, ScopeState]]:
    """Return what applications asked for and what was decided, in the order of :class:`Scope`."""
    found: dict[int, dict[Scope, ScopeState]] = {app_id: {} for app_id in app_ids}
    rows = list(db.session().scalars(select(AppScope).where(AppScope.app_id.in_(list(found)))))
    for row in sorted(rows, key=lambda one: list(Scope).index(one.scope)):
        found[row.app_id][row.scope] = row.state
    return found


def purpose_of(app_id: int, version: int) -> str:
    """Return the words of one version of an application's purpose."""
    return db.session().get_one(Purpose, (app_id, version)).text


def contact_of(row: App) -> str:
    return vault.unseal(CONTACT_FIELD, row.contact_token)


_BY_MANAGERS = frozenset({AppEvent.APPROVE, AppEvent.RETURN, AppEvent.SUSPEND, AppEvent.RESUME})


def _manages(by: Principal, row: App) -> bool:
    return organisations.covers(by, MANAGE, row.body_id)


def _visible(by: Principal) -> ColumnElement[bool]:
    return or_(
        organisations.scope_condition(by, MANAGE, App.body_id),
        organisations.scope_condition(by, ASK, App.body_id),
    )


def _touch(row: App, version: int, now: datetime, **values: Any) -> None:
    moved = db.writing().execute(
        update(App)
        .where(App.id == row.id, App.version == version)
        .values(version=version + 1, changed_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise Stale
    db.writing().refresh(row)


def _ask(app_id: int, scopes: Iterable[Scope], actor: str, now: datetime) -> list[str]:
    known = scopes_of([app_id])[app_id]
    fresh = [
        scope for scope in scopes if scope in CHOOSABLE and known.get(scope) in (None, ScopeState.REFUSED)
    ]
    for scope in fresh:
        _decide(app_id, scope, ScopeState.ASKED, actor, now)
    return [scope.value for scope in fresh]


def _decide(app_id: int, scope: Scope, state: ScopeState, actor: str, now: datetime) -> None:
    row = db.writing().get(AppScope, (app_id, scope))
    if row is None:
        row = AppScope(app_id=app_id, scope=scope, state=state, changed_at=now, changed_by=actor)
        db.writing().add(row)
    row.state, row.changed_at, row.changed_by = state, now, actor
    db.writing().flush()


def _check(wanted: Registration) -> None:
    problems: dict[str, list[str]] = {}
    if not 1 <= len(wanted.name.strip()) <= NAME_MAX:
        problems["name"] = [f"1 至 {NAME_MAX} 个字"]
    if not PURPOSE_MIN <= len(wanted.purpose.strip()) <= PURPOSE_MAX:
        problems["purpose"] = [f"{PURPOSE_MIN} 至 {PURPOSE_MAX} 个字，群众在授权页上会看到"]
    if not 1 <= len(wanted.contact.strip()) <= CONTACT_MAX:
        problems["contact"] = [f"1 至 {CONTACT_MAX} 个字"]
    if not wanted.scopes:
        problems["scopes"] = ["至少选一项"]
    if len(wanted.sso_hosts) > HOSTS_MAX or not all(HOST.fullmatch(host) for host in wanted.sso_hosts):
        problems["sso_hosts"] = [f"最多 {HOSTS_MAX} 个域名，每行一个，不带 https://"]
    elif wanted.callback_url and not _leads_to(wanted.callback_url, wanted.sso_hosts):
        problems["callback_url"] = [f"应是 https 网址，域名在单点登录域名之内，最多 {URL_MAX} 个字符"]
    if problems:
        raise Invalid("应用信息有误", fields=problems)


def _leads_to(url: str, hosts: Iterable[str]) -> bool:
    try:
        target = parse_target(url)
    except Refused:
        return False
    secure = target.scheme == "https" or target.host in {"127.0.0.1", "localhost"}
    clean = not urlsplit(target.url).fragment and target.url == url
    return secure and clean and len(url) <= URL_MAX and target.host in set(hosts)


def _views(rows: list[App]) -> list[AppView]:
    scopes = scopes_of([row.id for row in rows])
    purposes = _purposes(rows)
    return [
        AppView(
            id=row.id,
            body_id=row.body_id,
            body_name=organisations.get_body(row.body_id).full_name,
            name=row.name,
            purpose=purposes[row.id],
            purpose_version=row.purpose_version,
            callback_url=row.callback_url,
            sso_hosts=tuple(row.sso_hosts),
            state=row.state,
            reason=row.reason,
            scopes=scopes[row.id],
            version=row.version,
            created_at=row.created_at,
            changed_at=row.changed_at,
        )
        for row in rows
    ]


def _purposes(rows: list[App]) -> Mapping[int, str]:
    wanted = {row.id: row.purpose_version for row in rows}
    found = db.session().scalars(select(Purpose).where(Purpose.app_id.in_(list(wanted))))
    return {one.app_id: one.text for one in found if wanted[one.app_id] == one.version}
