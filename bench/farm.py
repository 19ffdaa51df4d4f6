"""A scripted farm of sites, the real prober, a real database, and a score: `python -m bench.farm`.

What the sites do is written down beforehand, so the truth is known to the second; what the hall says
is read from its own tables at the end. Uptime Kuma 2.5 scored 57 on a farm of this kind: it invented
62 incidents while its own network was away and read GBK pages as down. The weights:

==  ==========================================================================================
25  every outage longer than two intervals is found, dated within one interval
20  none is invented (5 points each)
15  each is known within one interval, the confirmation and the storing
15  availability of each site within 0.1 percentage points of the truth
 8  while the prober's own network is away the sites are unknown, not down
 4  pages in GBK are read rightly
 5  a site that flaps makes one incident
 4  maintenance counts in nothing
 4  what is seen while the database is away is not lost
==  ==========================================================================================

Outages last whole intervals, else no prober could tell their length better than to an interval. The
own network's absence is played by closing all ports, references among them; the truth of availability
leaves out what the hall says it does not know, and how much that is counts in its own line. A clock
that jumps cannot be played without root; the runner's tests turn its clock by hand.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from sqlalchemy.engine import make_url

from app import create_app
from app.core import clock, db, migrate
from app.core.runner import Worker
from app.mobile_access.service import State
from app.monitoring import checks
from app.monitoring.check_settings import CheckSettings, Draft
from app.monitoring.domain import CheckKind, MaintenanceScope
from app.monitoring.maintenance import Announcement, announce
from app.monitoring.models import Incident, ProbeSample, StateSpan
from bench.farm_sites import ADDRESSES, GBK, GBK_BY_META, MARKER, Farm, Gate, Site, farm
from bench.servers import ROOT
from config.settings import Settings
from mobile_pages.guard import Policy
from mobile_pages.probe.base import Condition, Span
from mobile_pages.probe.uptime import Window, clip, tally
from tests import mariadb
from tests.app.mobile_access.builders import a_page
from tests.builders import a_principal, an_environment

INTERVAL = 5
CONFIRMING = INTERVAL  # two further looks, each half an interval later
STORING = 4.0
WARM_MOST = 60
LARGEST_ERROR = 0.001
INVENTED_MOST = 20
NAME = "site.farm.example"


@dataclass(frozen=True, slots=True)
class Play:
    """What a site does from ``begin`` to ``end`` (seconds of the script).

    Attributes:
        counts: whether it is an outage that must be found.
    """

    site: str
    mode: str
    begin: int
    end: int
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that happens, in seconds from the moment all sites are known to be up."""

    plays: tuple[Play, ...]
    seconds: int
    network_away: tuple[int, int] | None = None
    database_away: tuple[int, int] | None = None
    maintenance: bool = False
    """Whether the site ``maintenance`` announces the whole minute after next and is closed in it."""


_BROKEN = ("refused", "503", "wrong", "loop", "hang", "half-open", "trickle", "endless", "expired", "dns")
WHOLE = Script(
    plays=(
        *(Play(mode, mode, 15, 50) for mode in _BROKEN),
        Play("slow", "slow", 15, 50, counts=False),
        Play("blip", "503", 62, 64, counts=False),
        Play("short", "refused", 60, 75),
        Play("gbk-wrong", "wrong", 55, 80),
        *(Play("flapping", "503", 15 + 10 * n, 20 + 10 * n, counts=False) for n in range(7)),
        Play("while-database-away", "refused", 155, 180),
    ),
    seconds=210,
    network_away=(100, 130),
    database_away=(150, 172),
    maintenance=True,
)
SHORT = Script(
    plays=(Play("refused", "refused", 2, 17), Play("wrong", "wrong", 2, 17), Play("hang", "hang", 2, 17)),
    seconds=29,
)
ALWAYS_UP = ("up", "gbk", "gbk-by-meta")


@dataclass(slots=True)
class Score:
    """Points and why they were lost."""

    lost: list[tuple[float, str]] = field(default_factory=list)

    def lose(self, points: float, reason: str) -> None:
        self.lost.append((points, reason))

    @property
    def points(self) -> float:
        return max(0.0, 100.0 - sum(points for points, _ in self.lost))


@dataclass(slots=True)
class Run:
    """One run: when the script began, and which page stands for which site."""

    script: Script
    pages: Mapping[str, int]
    began_at: datetime
    closed: tuple[datetime, datetime] | None = None
    first_seen: dict[int, datetime] = field(default_factory=dict)
    """When an incident stood in the database for the first time, by its id."""

    def at(self, second: float) -> datetime:
        return self.began_at + timedelta(seconds=second)


def run(environment: Mapping[str, str], folder: Path, script: Script = WHOLE) -> Score:
    """Play the script and print the score."""
    with contextlib.ExitStack() as stack:
        sites = stack.enter_context(farm(folder))
        url, gate = stack.enter_context(_database(sites, folder))
        _plant(sites, script)
        settings = Settings.from_env(_environment(environment, sites, url, folder))
        migrate.upgrade(url)
        app = create_app(settings)
        stack.callback(app.extensions["hall_db"].dispose)
        pages = _register(app, sites)
        direct = _environment(environment, sites, url, folder)
        through = direct | {"DATABASE_URL": _through(url, gate)} if gate else direct
        with _working(app), _probing(through, sites):
            played = _play(app, sites, gate, script, pages)
        score = judge(app, played)
    _print(score, script)
    return score


def _plant(sites: Farm, script: Script) -> None:
    authority = sites.authority
    names = [*ALWAYS_UP, *dict.fromkeys(one.site for one in script.plays), "reference-1", "reference-2"]
    for name in [*names, *(["maintenance"] if script.maintenance else [])]:
        site = Site()
        if name.startswith("gbk"):
            site.good = GBK_BY_META if name == "gbk-by-meta" else GBK
        if name == "expired":
            site.tls, site.expired = authority.server(), authority.server(days_left=-1)
        sites.add(name, site)


def _url(sites: Farm, name: str) -> str:
    site = sites.sites[name]
    host = NAME if name == "dns" else "127.0.0.1"
    return f"{'https' if site.tls else 'http'}://{host}:{site.port}/"


def _environment(
    environment: Mapping[str, str], sites: Farm, database_url: str, folder: Path
) -> dict[str, str]:
    allowed = [f"{address}/32:{one.port}" for one in sites.sites.values() for address in ADDRESSES]
    references = [_url(sites, name) for name in sites.sites if name.startswith("reference")]
    return {
        **environment,
        "DATABASE_URL": database_url,
        "HALL_VAR_DIR": str(folder),
        "HALL_PROBE_INTERVAL_SECONDS": str(INTERVAL),
        "HALL_PROBE_CANARIES": " ".join(references),
        "HALL_OUTBOUND_ALLOW": " ".join(allowed),
    }


@contextlib.contextmanager
def _database(sites: Farm, folder: Path) -> Iterator[tuple[str, Gate | None]]:
    """Give a database and the door in front of it; SQLite, which has none, where MariaDB is missing."""
    if mariadb.missing():
        yield f"sqlite:///{folder}/farm.sqlite", None
        return
    with mariadb.server() as url:
        address = make_url(url)
        gate = Gate(address.host or "", address.port or 0)
        sites.do(gate.open())
        try:
            yield url, gate
        finally:
            sites.do(gate.shut())


def _through(url: str, gate: Gate) -> str:
    return make_url(url).set(port=gate.port).render_as_string(hide_password=False)


def _register(app: Flask, sites: Farm) -> dict[str, int]:
    """Register and publish every site but the references; each must show its name."""
    names = [name for name in sites.sites if not name.startswith("reference")]
    demands = Draft(CheckKind.PAGE, settings=CheckSettings(must_contain=(MARKER,)))

    def register() -> dict[str, int]:
        by, now = a_principal("department_operator"), clock.system_clock()
        pages = {}
        for name in names:
            page = a_page(by=by, state=State.ONLINE, now=now, url=_url(sites, name))
            checks.change_check(by, page.id, demands, Policy(), version=0, now=now)
            pages[name] = page.id
        return pages

    with app.app_context():
        return db.transaction(register)


@contextlib.contextmanager
def _working(app: Flask) -> Iterator[None]:
    """Run the hall's worker beside."""
    worker = Worker(app, app.extensions["hall_jobs"])
    thread = threading.Thread(target=worker.run_forever)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


@contextlib.contextmanager
def _probing(environment: Mapping[str, str], sites: Farm) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.farm_prober"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*command, sites.name_server_at, str(sites.authority.ca_file)],
            env={**os.environ, **environment},
            cwd=ROOT,
            stdout=said,
            stderr=said,
        )
        try:
            yield
        except RuntimeError as error:
            said.seek(0)
            raise RuntimeError(f"{error}: {said.read()[-2000:].decode()}") from error
        finally:
            process.terminate()
            process.wait(30)


def _play(app: Flask, sites: Farm, gate: Gate | None, script: Script, pages: Mapping[str, int]) -> Run:
    _wait_until_known(app, len(pages))
    played = Run(script, pages, clock.system_clock())
    if script.maintenance:
        _announce(app, played)
    turns = sorted(_turns(sites, gate, played), key=lambda one: one[0])
    began = time.monotonic()
    for second, turn in turns:
        while (left := began + second - time.monotonic()) > 0:
            _watch_incidents(app, played)
            time.sleep(min(left, 0.5))
        turn()
    return played


def _turns(sites: Farm, gate: Gate | None, played: Run) -> Iterator[tuple[float, Callable[[], None]]]:
    """Yield what happens when."""
    script = played.script
    for one in script.plays:
        if one.site == "dns":
            yield one.begin, lambda: sites.name_server.__setattr__("addresses", ())
            yield one.end, lambda: sites.name_server.__setattr__("addresses", ("127.0.0.2",))
            continue
        yield one.begin, lambda one=one: sites.turn(one.site, one.mode)  # type: ignore[misc]
        yield one.end, lambda one=one: sites.turn(one.site, "up")  # type: ignore[misc]
    if script.network_away:
        yield script.network_away[0], sites.cut_off
        yield script.network_away[1], sites.reconnect
    if script.database_away and gate is not None:
        yield script.database_away[0], lambda: sites.do(gate.shut())
        yield script.database_away[1], lambda: sites.do(gate.open())
    if played.closed is not None:
        begin, end = ((one - played.began_at).total_seconds() for one in played.closed)
        yield begin + 1, lambda: sites.turn("maintenance", "503")
        yield end - INTERVAL, lambda: sites.turn("maintenance", "up")
    yield script.seconds, lambda: None


def _announce(app: Flask, played: Run) -> None:
    """Announce the whole minute that begins next but not at once."""
    start = (clock.system_clock() + timedelta(seconds=70)).replace(second=0, microsecond=0)
    page_id = str(played.pages["maintenance"])
    told = Announcement(MaintenanceScope.PAGE, page_id, "停服升级", "升级系统", start, 1)

    def announce_it() -> None:
        announce(a_principal("department_operator"), told, now=clock.system_clock())

    with app.app_context():
        db.transaction(announce_it)
    played.closed = (start, start + timedelta(minutes=1))


def _wait_until_known(app: Flask, count: int) -> None:
    """Wait until every site was seen to be up."""
    end = time.monotonic() + WARM_MOST
    while time.monotonic() < end:
        with app.app_context():
            query = select(StateSpan.check_id).where(StateSpan.condition == Condition.UP)
            if len(set(db.session().scalars(query))) == count:
                return
        time.sleep(0.5)
    raise RuntimeError("not every site was seen to be up; is the machine too busy?")


def _watch_incidents(app: Flask, played: Run) -> None:
    with app.app_context():
        for key in db.session().scalars(select(Incident.id)):
            played.first_seen.setdefault(key, clock.system_clock())


def judge(app: Flask, played: Run) -> Score:
    """Compare what the hall says with what was played."""
    with app.app_context():
        spans = {name: _spans(page_id) for name, page_id in played.pages.items()}
        incidents = list(db.session().scalars(select(Incident).order_by(Incident.started_at)))
        names = {page_id: name for name, page_id in played.pages.items()}
        by_site: dict[str, list[Incident]] = {name: [] for name in played.pages}
        for one in incidents:
            by_site[names[one.page_id]].append(one)
        score = Score()
        _judge_outages(score, played, by_site)
        _judge_availability(score, played, spans)
        _judge_own_network(score, played, spans)
        _judge_rest(score, played, by_site, spans)
    return score


def _spans(page_id: int) -> list[Span]:
    query = select(StateSpan).where(StateSpan.check_id == page_id).order_by(StateSpan.started_at)
    return [
        Span(row.started_at, row.ended_at, row.condition, row.cause) for row in db.session().scalars(query)
    ]


def _judge_outages(score: Score, played: Run, by_site: Mapping[str, Sequence[Incident]]) -> None:
    wanted = [one for one in played.script.plays if one.counts]
    claimed: set[int] = set()
    for play in wanted:
        begin = played.at(play.begin)
        found = next((one for one in by_site[play.site] if _matches(one, begin)), None)
        if found is None:
            score.lose(25 / len(wanted), f"{play.site}: the outage was not found")
            score.lose(15 / len(wanted), f"{play.site}: so it was not known in time")
            continue
        claimed.add(found.id)
        known = played.first_seen.get(found.id, played.at(played.script.seconds))
        late = (known - begin).total_seconds() - (INTERVAL + CONFIRMING + STORING)
        away = played.script.database_away
        if away and away[0] - INTERVAL * 2 <= play.begin < away[1]:
            late = (found.opened_at - begin).total_seconds() - (INTERVAL + CONFIRMING + STORING)
        if late > 0:
            score.lose(15 / len(wanted), f"{play.site}: known {late:.1f} s too late")
    flapped = {one.id for one in by_site.get("flapping", ())[:1]}
    for site, found_there in by_site.items():
        for one in found_there:
            if one.id not in claimed | flapped and site != "flapping":
                second = (one.started_at - played.began_at).total_seconds()
                score.lose(5, f"{site}: invented an outage at {second:.0f} s ({one.cause}, {one.outcome})")
    invented = [reason for _, reason in score.lost if "invented" in reason]
    too_many = 5 * len(invented) - INVENTED_MOST
    if too_many > 0:
        score.lose(-too_many, f"no more than {INVENTED_MOST} points for what was invented")


def _matches(incident: Incident, begin: datetime) -> bool:
    error = (incident.started_at - begin).total_seconds()
    return -1 <= error <= INTERVAL + 1


def _judge_availability(score: Score, played: Run, spans: Mapping[str, Sequence[Span]]) -> None:
    sites = [name for name in played.pages if name not in ("flapping", "blip")]
    for name in sites:
        told, truth = _availability(played, name, spans[name])
        if abs(told - truth) > LARGEST_ERROR:
            score.lose(15 / len(sites), f"{name}: availability {told:.4%}, in truth {truth:.4%}")


def _availability(played: Run, name: str, spans: Sequence[Span]) -> tuple[float, float]:
    """Return the availability told and the true one over the time of which the hall knows."""
    window = Window(played.at(0), played.at(played.script.seconds - INTERVAL))
    down = sum(
        _overlap(played.at(one.begin), played.at(one.end), window)
        for one in played.script.plays
        if one.site == name and one.counts
    )
    counted = tally(spans, window)
    known = counted.known.total_seconds()
    return counted.availability_rate or 0.0, 1 - down / known if known else 0.0


def _overlap(begin: datetime, end: datetime, window: Window) -> float:
    return max(0.0, (min(end, window.end) - max(begin, window.start)).total_seconds())


def _judge_own_network(score: Score, played: Run, spans: Mapping[str, Sequence[Span]]) -> None:
    if played.script.network_away is None:
        return
    begin, end = played.script.network_away
    away = Window(played.at(begin), played.at(end))
    for name, own in spans.items():
        counted = tally(own, away)
        if counted.down.total_seconds() > 0:
            score.lose(8 / len(spans), f"{name}: down for {counted.down} while the own network was away")
        elif (counted.unknown + counted.maintenance).total_seconds() < end - begin - 2 * INTERVAL:
            score.lose(
                8 / len(spans), f"{name}: unknown for {counted.unknown} only while the network was away"
            )
    around = Window(played.at(0), played.at(played.script.seconds - INTERVAL))
    unknown = tally(spans["up"], around).unknown.total_seconds()
    if unknown > end - begin + 3 * INTERVAL:
        score.lose(2, f"unknown for {unknown:.0f} s where {end - begin} s were")


def _judge_rest(
    score: Score,
    played: Run,
    by_site: Mapping[str, Sequence[Incident]],
    spans: Mapping[str, Sequence[Span]],
) -> None:
    for name in ("gbk", "gbk-by-meta"):
        if by_site[name]:
            score.lose(2, f"{name}: read as wrong")
    if "flapping" in by_site and len(by_site["flapping"]) != 1:
        score.lose(5, f"flapping: {len(by_site['flapping'])} incidents")
    if played.closed is not None:
        parts = clip(spans["maintenance"], Window(*played.closed))
        if by_site["maintenance"] or any(one.condition is not Condition.MAINTENANCE for one in parts):
            told = [f"{one.condition} {(one.start - played.closed[0]).total_seconds():.0f}" for one in parts]
            score.lose(4, f"maintenance: {len(by_site['maintenance'])} incidents, {told}")
    if played.script.database_away is not None:
        _judge_database(score, played)


def _judge_database(score: Score, played: Run) -> None:
    """Look for what was seen of a calm site while the database was away."""
    assert played.script.database_away is not None
    begin, end = map(played.at, played.script.database_away)
    query = select(ProbeSample.at).where(ProbeSample.check_id == played.pages["up"])
    count = len(list(db.session().scalars(query.where(ProbeSample.at >= begin, ProbeSample.at < end))))
    expected = int((end - begin).total_seconds() // INTERVAL)
    if count < expected:
        score.lose(4, f"{expected - count} of {expected} looks were lost while the database was away")


def _print(score: Score, script: Script) -> None:
    print(f"farm of {len(script.plays)} plays in {script.seconds} s: {score.points:.1f} of 100")
    for points, reason in score.lost:
        print(f"  -{points:.1f}  {reason}")


def measure() -> Score:
    """Run the whole script in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="hall-farm-") as made:
        environment = an_environment(HALL_TRUSTED_HOSTS="127.0.0.1")
        return run(environment, Path(made))


if __name__ == "__main__":
    print(f"begun {datetime.now(UTC):%H:%M:%S} UTC, load {os.getloadavg()[0]:.1f}")
    raise SystemExit(0 if measure().points >= 97 else 1)
