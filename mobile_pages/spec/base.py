"""What a rule is, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mobile_pages.artifact import Artifact


class Verdict(StrEnum):
    """What a rule says of a page. It never guesses: what it cannot decide is ``needs_review``."""

    PASS = "pass"
    FAIL = "fail"
    NEEDS_REVIEW = "needs_review"
    NOT_APPLICABLE = "not_applicable"
    NOT_RUN = "not_run"


class Severity(StrEnum):
    MUST = "must"
    SHOULD = "should"


class Profile(StrEnum):
    """Which edition is judged: the standard one or the elder one (长辈版)."""

    STANDARD = "standard"
    ELDER = "elder"


class Need(StrEnum):
    """Which part of the artifact a rule reads; the engine answers ``not_run`` when it is missing.

    ``attempt`` is the try to open the entry, answered or not: for rules that judge the trouble itself.
    ``static`` is an entry that answered with a page, ``rendered`` at least one opening in the browser,
    ``monitoring`` the watch over a published page. ``manual`` rules read what a person found.
    """

    DECLARATION = "declaration"
    ATTEMPT = "attempt"
    STATIC = "static"
    RENDERED = "rendered"
    MONITORING = "monitoring"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a rule failed and what to do about it. Repeats of one fault are one finding with a count.

    Attributes:
        where: place in words a web editor understands (Chinese), e.g. ``"页脚"``.
        selector: CSS selector of the (first) element; ``""`` when it is no element.
        snippet: shortened source of it.
        measured: the figure found, with unit; ``""`` when there is none.
        box: x, y, width, height in CSS px on the rendering named by ``rendering``; None when not measured.
        advice: how to mend it, plain Chinese.
        edition: where two editions were judged together, the one it was found in; None when in both.
    """

    where: str
    advice: str
    selector: str = ""
    snippet: str = ""
    measured: str = ""
    count: int = 1
    rendering: str = ""
    box: tuple[float, float, float, float] | None = None
    edition: Profile | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule says of one page.

    Attributes:
        measured: the figure that decided, with unit.
        reason: why a verdict is neither pass nor fail, or what a pass could not look at; else ``""``.
        severity: set only where a clause grades its faults (24 px must, 44 px should) and this one is
            not the gravest; None takes the severity of the table.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    measured: str = ""
    reason: str = ""
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One clause of the access spec. Title, group, threshold, severity and source stand in
    ``config/access_spec/rules.csv`` under ``code`` and are joined by the engine.

    Attributes:
        id: kebab-case noun, same as the module's name with ``-`` for ``_``.
        code: ``MAS-…`` of the table.
        needs: the part of the artifact that ``judge`` reads.
        since: first version of the spec that has the rule.
        fix: short code example of a page that passes.
        questions: what a person is asked where the machine cannot decide; yes to all means pass.
        awaits_watch: a part of it is only seen once the page is watched: ``not_run`` before that leaves
            a check decided all the same.
    """

    id: str
    code: str
    needs: Need
    judge: Callable[[Artifact, Profile], Outcome]
    fix: str
    since: str = "1"
    questions: tuple[str, ...] = ()
    awaits_watch: bool = False

    @property
    def may_wait(self) -> bool:
        """Whether the rule may stay open while the page is not watched yet."""
        return self.awaits_watch or self.needs is Need.MONITORING
