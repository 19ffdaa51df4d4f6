"""Commands of the demo: accounts on the sandbox's platforms, and the sample pages' way through the hall."""

from __future__ import annotations

import time
from functools import partial

import click
import requests
from flask.cli import AppGroup

from app.core import clock, db
from app.core.installation import settings
from app.demo import alipay, notices, people, service, themes
from app.demo.catalogue import add_items, add_scenes, link_pages, relate_items
from app.demo.catalogue_desk import show_desk
from app.demo.conversations import set_rules
from app.demo.desk import show_cases
from app.demo.exchange import dock, write_keys
from app.demo.identity import sign_in_person
from app.demo.third_parties import make_applications
from app.mobile_access import service as mobile_access
from app.payments import service as payments
from config import items
from config import themes as sample_themes
from config.settings import Environment

WAIT_SECONDS = 420.0
POLL_SECONDS = 1.0
ITEMS_AT_ONCE = 30

group = AppGroup("demo", help="Fill an empty hall for trying it out (not in production).")


@group.command("accounts")
def accounts() -> None:
    """Make one account per sandbox platform and write the sandbox's configuration. Safe to repeat."""
    _refuse_production()
    sandbox_url, base_url = settings().sandbox_url, settings().base_url
    path = settings().var_dir / "sandbox.json"
    told = service.read_sandbox_config(path)
    made = db.transaction(lambda: service.make_accounts(sandbox_url, base_url, told, clock.system_clock()))
    service.write_sandbox_config(path, base_url, made, people.verification_of(settings()))
    db.transaction(lambda: set_rules(clock.system_clock()))
    click.echo(f"沙箱渠道账号 sandbox accounts: {', '.join(made)}")


@group.command("department")
def department() -> None:
    """Dock a department's system, with cases and messages that wait. Safe to repeat."""
    _refuse_production()
    path = settings().var_dir / "department.json"
    keys = db.transaction(lambda: dock(now=clock.system_clock()))
    if keys is None:
        return
    write_keys(path, {"base": settings().base_url, **keys})
    click.echo(
        "部门业务系统已对接 a department's system is docked; play it with\n"
        f"  .venv/bin/python -m sandbox.department --file {path} play"
    )


@group.command("seed")
def seed() -> None:
    """Register the sample pages, have them checked, publish those that pass. Safe to repeat."""
    _refuse_production()
    catalogue = requests.get(f"{settings().sample_pages_url}/catalogue.json", timeout=10).json()
    rows = catalogue["pages"] if isinstance(catalogue, dict) else catalogue
    samples = service.sample_registrations(rows, mobile_access.outbound_guard(settings()))
    registered = db.transaction(lambda: service.register_samples(samples, clock.system_clock()))
    db.transaction(lambda: link_pages(items.samples(), service.sample_pages()))
    # The simulators forget their menus when they stop.
    service.publish_menus_again(settings().base_url, clock.system_clock())
    if registered:
        click.echo(f"样例网页 sample pages: {registered} registered, being checked")
    urls = {new.url for _, new in samples}
    end = time.monotonic() + WAIT_SECONDS
    # Also what an earlier start has begun and was stopped in the middle of.
    while db.transaction(lambda: service.publish_passed(urls, clock.system_clock())):
        if time.monotonic() > end:
            break
        time.sleep(POLL_SECONDS)
    if registered:
        for state, count in sorted(service.states().items()):
            click.echo(f"  {state}: {count}")


@group.command("items")
def sample_items() -> None:
    """Add the sample items of the catalogue, marked as samples. Safe to repeat."""
    _refuse_production()
    now = clock.system_clock()
    samples = items.samples()
    parts = [samples[at : at + ITEMS_AT_ONCE] for at in range(0, len(samples), ITEMS_AT_ONCE)]
    added = sum(db.transaction(partial(add_items, part, now)) for part in parts)
    if added:
        db.transaction(partial(relate_items, items.relations(), now))
        db.transaction(partial(add_scenes, items.scenes(), now))
        click.echo(f"示例事项 sample items: {added}")
    db.transaction(partial(show_desk, samples, now))
    if new_themes := db.transaction(lambda: themes.add_themes(sample_themes.samples(), now)):
        click.echo(f"示例主题 sample themes: {new_themes}")


@group.command("alerts")
def alerts() -> None:
    """Bind the watch's account to the sandbox's phone, as a person would. Safe to repeat."""
    _refuse_production()
    installed = settings()
    code = db.transaction(lambda: service.code_for_watch(clock.system_clock()))
    words = [("follow", "")] + ([("text", f"绑定 {code}")] if code else [])
    for kind, value in words:
        said = {"account": service.ALERTS_FROM, "kind": kind, "value": value}
        requests.post(f"{installed.sandbox_url}/control/messages", json=said, timeout=10).raise_for_status()
    click.echo("告警会发到沙箱的手机 alerts go to the sandbox phone")


@group.command("resident")
def resident() -> None:
    """Sign the person with the sandbox's phone in once. Safe to repeat."""
    _refuse_production()
    now = clock.system_clock()
    person = sign_in_person(now)
    db.transaction(lambda: notices.give_forms(now))
    if person is not None:
        db.transaction(lambda: notices.tell_person(person, now))
        db.transaction(lambda: themes.apply(person, now))
        click.echo("沙箱的手机已登录过一次 the sandbox's person is known as a resident")
    if person is not None and people.make_people(person, now):
        click.echo("两位已实名的示例居民、一家企业、一份授权 sample people, an enterprise, a delegation")
    if person is not None and (shown := db.transaction(lambda: show_cases(person, now))):
        click.echo(f"示例办件 sample cases on the desk: {shown}")
    if db.transaction(lambda: make_applications(person, now=now)):
        click.echo("示例第三方应用 sample applications of third parties: 2")


@group.command("payment")
def payment() -> None:
    """Make an order of 5 yuan and print where it is paid in the sandbox."""
    _refuse_production()
    now, base_url = clock.system_clock(), settings().base_url
    order = db.transaction(lambda: alipay.make_order(now))
    address = payments.pay_address(order.id, base_url, base_url=base_url, now=now)
    click.echo(f"演示订单 order {order.number}\n付款地址 pay at {address}")


def _refuse_production() -> None:
    if settings().environment is Environment.PRODUCTION:
        raise click.ClickException("演示数据只用于演示环境（HALL_ENV=demo）")
