"""Short ways to say what a rule found."""

from __future__ import annotations

from collections.abc import Iterable

from mobile_pages.spec.base import Finding, Outcome, Verdict

NOT_WATCHED = "上线后监测，目前还没有监测数据"
"""Why a rule about the watch over a page says nothing yet."""


NOT_COLLECTED = "上次访问时没有采集这一项"
"""Why a rule says nothing of a page that is judged again without a visit: it asks for more than was seen."""


def decided(
    faults: Iterable[Finding],
    doubts: Iterable[Finding] = (),
    *,
    measured: str = "",
    reason: str = "",
    note: str = "",
) -> Outcome:
    """Fail on any fault, else ask for a person's eye on any doubt, else pass.

    Doubts are listed behind faults. ``reason`` tells why a doubt is left to a person, ``note`` what a pass
    did not look at.
    """
    certain, open_questions = tuple(faults), tuple(doubts)
    if certain:
        return Outcome(Verdict.FAIL, certain + open_questions, measured)
    if open_questions:
        return Outcome(Verdict.NEEDS_REVIEW, open_questions, measured, reason or "机器不能断定，请人工确认")
    return Outcome(Verdict.PASS, (), measured, note)


def not_applicable(reason: str) -> Outcome:
    return Outcome(Verdict.NOT_APPLICABLE, reason=reason)


def not_run(reason: str) -> Outcome:
    return Outcome(Verdict.NOT_RUN, reason=reason)


def needs_review(reason: str) -> Outcome:
    return Outcome(Verdict.NEEDS_REVIEW, reason=reason)
