"""What a capability package hands to the factory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Blueprint as PagesBlueprint

from app.core.access import Authenticator, PartnerAuthenticator, ResidentAuthenticator
from app.core.elsewhere import Finder
from app.core.json_api import Blueprint as ApiBlueprint
from app.core.later import LaterGroup


@dataclass(frozen=True, slots=True)
class Capability:
    """One system that the notice names, whole: API, pages, commands, jobs.

    Attributes:
        callbacks: blueprints that platforms call; they verify signatures themselves.
        jobs: ``module:name`` of a tuple of ``core.outbox.Job``; only workers import it.
        authenticator: which member of staff a request comes from; exactly one capability provides it.
        residents: which resident it comes from; one capability at most provides it.
        partners: which third party signed it; one capability at most provides it.
        prepare: fills the tables that the capability needs from the start; safe to repeat;
            is given a function that reports progress ``(done, total)``.
        watch: ``module:name`` of a function that returns what was seen of a page over time; the
            capability that keeps the watch stands above those that ask, so they ask through here.
        open_cases: ``module:name`` of a function that counts the open cases of a version of an item; who
            keeps cases stands above the catalogue, which asks through here.
        item_names: ``module:name`` of a function that names items of the catalogue, those that fit words
            and those with given ids; who delegates stands below the catalogue and asks through here.
        gauges: ``module:name`` of a function that returns what Prometheus shall read besides the
            process's own counters, asked of the database at each reading.
        mine: what residents find under “我的”: words and endpoint of a page each.
        hears: which of its jobs runs when a capability below tells of an event, by the event's name;
            see ``core.hearing``.
        finds: finds by number and query code what the capability below does not know; see
            ``core.elsewhere``.
        choices: ``module:name`` of a function that returns how a resident wants to see pages, a
            ``core.viewing.Choice`` by the resident's id; one capability at most provides it.
        held: ``module:name`` of a function that returns what is held of a resident, a list of
            ``core.own_data.Held`` by the resident's id.
        case_paths: ``module:name`` of a function that returns the pages of those cases among given numbers
            that are a resident's own, by number; who keeps cases stands above those that ask.
    """

    name: str
    api: tuple[ApiBlueprint, ...] = ()
    pages: tuple[PagesBlueprint, ...] = ()
    callbacks: tuple[PagesBlueprint, ...] = ()
    commands: tuple[LaterGroup, ...] = ()
    jobs: str = ""
    authenticator: Authenticator | None = None
    residents: ResidentAuthenticator | None = None
    partners: PartnerAuthenticator | None = None
    prepare: Callable[[Callable[[int, int], None]], None] | None = None
    watch: str = ""
    open_cases: str = ""
    item_names: str = ""
    gauges: str = ""
    mine: tuple[tuple[str, str], ...] = ()
    hears: Mapping[str, str] = field(default_factory=dict)
    finds: Finder | None = None
    choices: str = ""
    held: str = ""
    case_paths: str = ""
