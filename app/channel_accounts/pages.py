"""Console pages of channel accounts: forms are made from what each channel says about itself."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.channel_accounts import service
from app.core import access, clock, db
from app.core.access import Permission
from app.core.errors import DomainError, Invalid, NotFound
from app.core.installation import settings

pages = Blueprint(
    "channel_accounts_pages", __name__, url_prefix="/console/accounts", template_folder="templates"
)


@pages.get("")
@access.staff(Permission.CHANNELS_MANAGE)
def listing() -> str:
    return render_template(
        "channel_accounts/listing.html",
        accounts=service.accounts(active_only=False),
        kinds=service.kinds(),
        base_url=settings().base_url,
    )


@pages.get("/new/<kind>")
@access.staff(Permission.CHANNELS_MANAGE)
def new(kind: str) -> str:
    return _form(kind, account=None, values={}, problems={})


@pages.post("/new/<kind>")
@access.staff(Permission.CHANNELS_MANAGE)
def create(kind: str) -> ResponseReturnValue:
    try:
        made = db.transaction(
            lambda: service.create_account(
                kind=kind,
                key=request.form.get("key", "").strip(),
                name=request.form.get("name", "").strip(),
                values=_values(kind),
                actor=access.current_staff().actor,
                now=clock.system_clock(),
            )
        )
    except DomainError as error:
        return _form(kind, account=None, values=request.form, problems=_problems(error)), 422
    flash("账号已添加。请把回调地址填到平台后台。", "success")
    return redirect(url_for(".edit", account_id=made.id))


@pages.get("/<id:account_id>")
@access.staff(Permission.CHANNELS_MANAGE)
def edit(account_id: int) -> str:
    account = service.get(account_id)
    return _form(
        account.kind, account=account, values={**account.settings, "name": account.name}, problems={}
    )


@pages.post("/<id:account_id>")
@access.staff(Permission.CHANNELS_MANAGE)
def save(account_id: int) -> ResponseReturnValue:
    account = service.get(account_id)
    try:
        db.transaction(
            lambda: service.update_account(
                account_id,
                version=int(request.form.get("version", "0")[:9] or 0),
                name=request.form.get("name", "").strip(),
                values=_values(account.kind),
                active="active" in request.form,
                actor=access.current_staff().actor,
            )
        )
    except (DomainError, ValueError) as error:
        problems = _problems(error if isinstance(error, DomainError) else Invalid())
        return _form(account.kind, account=account, values=request.form, problems=problems), 422
    flash("已保存。", "success")
    return redirect(url_for(".edit", account_id=account_id))


@pages.post("/<id:account_id>/probe")
@access.staff(Permission.CHANNELS_MANAGE)
def probe(account_id: int) -> ResponseReturnValue:
    """Make one harmless call to the platform and say how it went."""
    health = service.adapter(account_id).probe()
    if health.ok:
        flash("平台应答正常，凭据有效。", "success")
    else:
        flash(f"平台没有正常应答（{health.code}）。请检查凭据与接口地址。", "error")
    return redirect(url_for(".edit", account_id=account_id))


def _form(kind: str, *, account: service.AccountView | None, values: object, problems: dict[str, str]) -> str:
    description = service.kinds().get(kind)
    if description is None:
        raise NotFound("没有这种渠道")
    return render_template(
        "channel_accounts/form.html",
        description=description,
        account=account,
        values=values,
        problems=problems,
        base_url=settings().base_url,
    )


def _values(kind: str) -> dict[str, str]:
    description = service.kinds().get(kind)
    if description is None:
        raise NotFound("没有这种渠道")
    return {field.name: request.form.get(field.name, "") for field in description.fields}


def _problems(error: DomainError) -> dict[str, str]:
    return {"": str(error), **{name: str(text) for name, text in error.fields.items()}}
