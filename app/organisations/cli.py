"""``flask staff``: accounts from the command line. No password is ever given or shown here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click
from flask.cli import AppGroup

from app.core import clock, db
from app.core.errors import DomainError
from app.core.installation import settings
from app.organisations import service
from app.organisations.service import ROLE_LABELS, LinkPurpose, Role

T = TypeVar("T")
BY = "command-line"

staff = AppGroup("staff", help="Accounts of staff (人员).")


def _done(work: Callable[[], T]) -> T:
    """Run ``work`` in a transaction; say in one line why it was refused."""
    try:
        return db.transaction(work)
    except DomainError as error:
        more = "; ".join(f"{name}: {' '.join(said)}" for name, said in error.fields.items())
        raise click.ClickException(f"{error} ({error.code}){'; ' + more if more else ''}") from error


def _set_up_link(username: str) -> str:
    person = service.find_staff(username)
    secret = service.one_time_link(
        person.id,
        LinkPurpose.SET_UP,
        by=BY,
        environment=settings().environment,
        now=clock.system_clock(),
    )
    return f"{settings().base_url}/staff/setup/{secret}"


@staff.command("create")
@click.option("--username", required=True)
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--scope", default="", help="body, city or county: a name or a GB/T 2260 code")
def create(username: str, name: str, role: str, scope: str) -> None:
    """Create an account and print its one-time set-up link (24 hours)."""

    def work() -> str:
        grant = service.resolve_grant(Role(role), scope)
        service.create_staff(username=username, name=name, grants=[grant], by=BY, now=clock.system_clock())
        return _set_up_link(username)

    click.echo(_done(work))


@staff.command("link")
@click.option("--username", required=True)
def link(username: str) -> None:
    """Print a new set-up link for somebody who lost password or phone."""
    click.echo(_done(lambda: _set_up_link(username)))


@staff.command("demo-links")
def demo_links() -> None:
    """Print a one-time sign-in link for each role; in demo and test only."""
    links = _done(lambda: service.demo_links(environment=settings().environment, now=clock.system_clock()))
    for role, secret in links.items():
        click.echo(f"{ROLE_LABELS[role]}: {settings().base_url}/staff/link/{secret}")


@staff.command("token")
@click.option("--username", required=True)
@click.option("--name", default="command line", show_default=True)
@click.option("--days", default=90, show_default=True)
def token(username: str, name: str, days: int) -> None:
    """Print a new API token; it may what its owner may."""

    def work() -> str:
        person = service.find_staff(username)
        return service.issue_api_token(person.id, name=name, days=days, by=BY, now=clock.system_clock())

    click.echo(_done(work))


@staff.command("disable")
@click.option("--username", required=True)
def disable(username: str) -> None:
    """Close an account with its sessions, links and tokens."""
    _done(lambda: service.disable_staff(service.find_staff(username).id, by=BY))
    click.echo(f"{username}: disabled")


@staff.command("list")
def listing() -> None:
    """Print every account with its roles."""
    for person in service.staff_list():
        roles = ", ".join(f"{grant.role}@{grant.scope_ref or 'province'}" for grant in person.grants)
        click.echo(f"{person.username}  {person.state}  {roles}")
