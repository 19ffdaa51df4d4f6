"""The work desk at a province's size: reading the queue of 10,000 and of 1,000,000 cases.

`python -m bench.desk` alone; `--cases 100000` for a smaller province, `--plans` for the databases' plans.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import Engine, bindparam, event, func, insert, select, text

from app import create_app
from app.applications import service
from app.applications.domain import ENDED, Channel, State
from app.applications.models import Application
from app.applications.moving import NOBODYS_TURN
from app.applications.service import Wanted
from app.catalogue.models import ItemImplementation, ItemVersion
from app.core import db, migrate
from app.core.access import Permission
from app.core.clock import day_of
from app.core.ids import new_id
from app.demo import catalogue as demo
from app.identity.models import Resident
from app.organisations import service as organisations
from app.organisations.models import Body
from app.organisations.service import Principal, Role
from config import notice
from config.items import samples
from config.settings import Settings
from tests import mariadb
from tests.builders import an_environment

SMALL, GREAT = 10_000, 1_000_000
RATIO_MAX = 1.3
NOW = datetime(2026, 3, 2, 1, 20, tzinfo=UTC)
ROUNDS = 40
SAMPLES = 8
_STEP = 41_234_567_891

_SHARES = (
    (State.SUBMITTED, 12),
    (State.SUPPLEMENT_DUE, 5),
    (State.ACCEPTED, 8),
    (State.HANDLING, 20),
    (State.SUSPENDED, 2),
    (State.DECIDED, 2),
    (State.COMPLETED, 6),
    (State.DELIVERED, 38),
    (State.NOT_ACCEPTED, 7),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """How long one way of reading the desk takes with few cases and with many, and what it reads.

    Attributes:
        small_rows, great_rows: rows and entries of indexes that MariaDB touched; 0 on SQLite.
    """

    name: str
    small_ms: float
    great_ms: float
    small_rows: int
    great_rows: int

    @property
    def ratio(self) -> float:
        return self.great_ms / self.small_ms


def run(great: int = GREAT, *, plans: bool = False) -> list[Figure]:
    """Print how reading the desk slows with the number of cases, on MariaDB and on SQLite."""
    figures = []
    missing = mariadb.missing()
    if missing:
        print(f"desk on MariaDB: not run, {missing}")
    else:
        with mariadb.server(memory="1G") as url:
            figures += _run("MariaDB", url, great, plans)
    with tempfile.TemporaryDirectory(prefix="hall-desk-") as folder:
        figures += _run("SQLite", f"sqlite:///{folder}/hall.sqlite", great, plans)
    return figures


def _run(name: str, url: str, great: int, plans: bool) -> list[Figure]:
    print(f"desk of {SMALL} and {great} cases on {name}, load {os.getloadavg()[0]:.1f}:")
    with _hall(url) as (app, engine), app.app_context():
        places = items()
        people = staff(places)
        fill(engine, SMALL, places, people)
        few, few_rows = measured(people), rows_read(engine, people)
        began = time.perf_counter()
        grow(engine, SMALL, great)
        print(f"  ({great} cases made in {time.perf_counter() - began:.0f} s)")
        many, many_rows = measured(people), rows_read(engine, people)
        if plans:
            print_plans(engine, people)
    figures = [
        Figure(f"{name} {one}", few[one], many[one], few_rows.get(one, 0), many_rows.get(one, 0))
        for one in few
    ]
    for one in figures:
        read = f", {one.small_rows} and {one.great_rows} rows read" if one.great_rows else ""
        print(
            f"  {one.name:<34}{one.small_ms:8.2f} ms{one.great_ms:8.2f} ms"
            f"{one.ratio:7.2f} (at most {RATIO_MAX}){read}"
        )
    return figures


@contextmanager
def _hall(url: str) -> Iterator[tuple[Flask, Engine]]:
    with tempfile.TemporaryDirectory(prefix="hall-bench-") as folder:
        settings = Settings.from_env(an_environment(DATABASE_URL=url, HALL_VAR_DIR=folder))
        migrate.upgrade(url)
        app = create_app(settings)
        with app.app_context():
            db.transaction(lambda: organisations.import_notice(notice.load(), lambda _done, _total: None))
        database = app.extensions["hall_db"]
        try:
            yield app, database.write_engine
        finally:
            database.dispose()


Place = tuple[int, int, int, str | None, str]
"""Where an item is carried out: implementation, its version, body, its city, region."""


def items() -> list[Place]:
    """Return where the sample items are carried out, once they are there."""
    db.transaction(lambda: demo.add_items(samples()[:SAMPLES], NOW))
    query = (
        select(ItemImplementation.id, ItemVersion.id, Body.id, Body.city_code, ItemImplementation.region_code)
        .join(ItemVersion, ItemVersion.implementation_id == ItemImplementation.id)
        .join(Body, Body.id == ItemImplementation.body_id)
        .order_by(ItemImplementation.code)
    )
    found = db.session().execute(query)
    return [(item, version, body, city, region) for item, version, body, city, region in found]


def staff(places: Sequence[Place]) -> dict[str, Principal]:
    """Return who looks at the desk: the province, two cities, and one department of the province."""
    body_id = Counter(place[2] for place in places if place[3] is None).most_common(1)[0][0]
    wanted = {
        "province": organisations.grant_for(Role.PROVINCE_REVIEWER),
        "city": organisations.grant_for(Role.CITY_OPERATOR, "440100"),
        "quiet city": organisations.grant_for(Role.CITY_OPERATOR, "445300"),
        "body": organisations.grant_for(Role.DEPARTMENT_OPERATOR, str(body_id)),
    }

    def make() -> dict[str, Principal]:
        people = {}
        for number, (name, grant) in enumerate(wanted.items()):
            made = organisations.create_staff(
                username=f"desk-{number}", name=f"经办{number}", grants=[grant], by="system", now=NOW
            )
            people[name] = Principal(made.id, made.name, (grant,))
        return people

    return db.transaction(make)


def fill(engine: Engine, count: int, places: Sequence[Place], people: dict[str, Principal]) -> None:
    """Put ``count`` cases into an empty desk, over all bodies that carry the items out."""
    resident_id = db.transaction(_a_resident)
    chance = random.Random(3)
    states = [state for state, share in _SHARES for _ in range(share)]
    rows = [
        _case(number, places[number % len(places)], resident_id, chance.choice(states), people, chance)
        for number in range(count)
    ]
    with engine.begin() as connection:
        for at in range(0, count, 2000):
            connection.execute(insert(Application), rows[at : at + 2000])
    _analyse(engine)


def _a_resident() -> int:
    row = Resident(level=1, created_at=NOW)
    db.writing().add(row)
    db.writing().flush()
    return row.id


def _case(
    number: int,
    place: Place,
    resident_id: int,
    state: State,
    people: dict[str, Principal],
    chance: random.Random,
) -> dict[str, Any]:
    implementation_id, version_id, body_id, city_code, region_code = place
    due = day_of(NOW) + timedelta(days=chance.randrange(-10, 30))
    waits = state in {State.SUPPLEMENT_DUE, State.SUSPENDED}
    ended = state in ENDED
    return {
        "id": new_id() >> 16,
        "resident_id": resident_id,
        "implementation_id": implementation_id,
        "item_version_id": version_id,
        "form_version_id": version_id,
        "body_id": body_id,
        "city_code": city_code,
        "desk_body_id": None if ended else body_id,
        "desk_city": None if ended else city_code,
        "region_code": region_code,
        "number": f"b{number:08}",
        "state": state,
        "version": 3,
        "channel": Channel.WECHAT,
        "answers": {"reason": "work", "employer": "示例工厂有限公司"},
        "sealed": {},
        "materials": {"m1": "upload"},
        "files": {},
        "sources": {},
        "variant": "",
        "code_issue": 0,
        "handler_id": _handler(place, people).staff_id if chance.random() < 0.4 else None,
        "step": 0,
        "event_count": 2,
        "created_at": NOW,
        "saved_at": NOW,
        "submitted_at": NOW,
        "received_at": NOW,
        "accepted_at": NOW,
        "promise_due_on": due,
        "lawful_due_on": due + timedelta(days=14),
        "desk_on": None if ended else NOBODYS_TURN if waits else due,
        "extension_days": 0,
        "pauses": [],
        "calendar_version": 0,
        "reason": "",
        "remedy": "",
    }


def _handler(place: Place, people: dict[str, Principal]) -> Principal:
    cities = {"440100": people["city"], "445300": people["quiet city"]}
    return cities.get(place[3] or "", people["body"] if place[3] is None else people["province"])


def grow(engine: Engine, have: int, wanted: int) -> None:
    """Copy the cases there are until there are ``wanted``; ids, numbers and days differ."""
    names = [column.name for column in Application.__table__.columns]
    columns = {name: Application.__table__.c[name] for name in names}
    shift = bindparam("shift", type_=Application.id.type)
    suffix = bindparam("suffix", type_=Application.number.type)
    changed: dict[str, Any] = {**columns, "id": columns["id"] + shift, "number": columns["number"] + suffix}
    # Cases of the bench's first filling only: their numbers have nine letters.
    copy = insert(Application).from_select(
        names, select(*changed.values()).where(func.length(Application.number) == 9)
    )
    with engine.connect() as connection:
        for portion in range(1, wanted // have):
            connection.execute(copy, {"shift": portion * _STEP, "suffix": f"-{portion}"})
            connection.commit()
    _analyse(engine)


def _analyse(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("ANALYZE TABLE application" if engine.dialect.name != "sqlite" else "ANALYZE")
        )


def _readings(by: Principal) -> dict[str, Callable[[], Any]]:
    today = day_of(NOW)
    item = db.session().scalar(
        select(Application.implementation_id).where(Application.body_id == _body_of(by)).limit(1)
    )
    return {
        "first page": lambda: service.queue(by, today=today),
        "page by cursor": lambda: service.queue(by, today=today, cursor=f"{today}.{2**45}"),
        "unassigned": lambda: service.queue(by, Wanted(whose="unassigned"), today=today),
        "mine": lambda: service.queue(by, Wanted(whose="mine"), today=today),
        "overdue": lambda: service.queue(by, Wanted(overdue=True), today=today),
        "state": lambda: service.queue(by, Wanted(state=State.COMPLETED), today=today),
        "item": lambda: service.queue(by, Wanted(item_id=item), today=today),
        "counts": lambda: service.counts(by, today),
    }


def _body_of(by: Principal) -> int:
    return organisations.bodies_of(by, Permission.CASES_READ)[0].id


def measured(people: dict[str, Principal]) -> dict[str, float]:
    """Return how long each way of reading the desk takes, in ms."""
    found = {}
    for name, by in people.items():
        for reading, work in _readings(by).items():
            found[f"{name}: {reading}"] = _median_ms(work)
    return found


def rows_read(engine: Engine, people: dict[str, Principal]) -> dict[str, int]:
    """Return how many rows and entries of indexes each way of reading touches, whatever else runs."""
    found: dict[str, int] = {}
    if engine.dialect.name == "sqlite":
        return found
    counters = text("SHOW SESSION STATUS LIKE 'Handler_read%'")
    for name, by in people.items():
        for reading, work in _readings(by).items():
            work()
            before = sum(int(count) for _, count in db.session().execute(counters))
            work()
            after = sum(int(count) for _, count in db.session().execute(counters))
            found[f"{name}: {reading}"] = after - before
    return found


def _median_ms(work: Callable[[], Any]) -> float:
    for _ in range(3):
        work()
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
        db.session().expunge_all()
    # The machine does other things meanwhile: the better half says what the work itself takes.
    return 1000 * statistics.median(sorted(spent)[: ROUNDS // 2])


def print_plans(engine: Engine, people: dict[str, Principal]) -> None:
    """Print by which index each way of reading goes."""
    for name, by in people.items():
        for reading, work in _readings(by).items():
            for statement, given in _statements(work):
                print(f"  {name}: {reading}")
                with engine.connect() as connection:
                    word = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
                    for line in connection.exec_driver_sql(f"{word} {statement}", given):
                        print("    ", *line)


def _statements(work: Callable[[], Any]) -> list[tuple[str, Any]]:
    heard: list[tuple[str, Any]] = []
    engine = db.session().get_bind()

    def hear(_connection: Any, _cursor: Any, statement: str, given: Any, *_more: Any) -> None:
        if "application" in statement:
            heard.append((statement, given))

    event.listen(engine, "before_cursor_execute", hear)
    work()
    event.remove(engine, "before_cursor_execute", hear)
    return heard


def main() -> None:
    """Run from the command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=int, default=GREAT)
    options.add_argument("--plans", action="store_true")
    given = options.parse_args()
    run(given.cases, plans=given.plans)


if __name__ == "__main__":
    main()
