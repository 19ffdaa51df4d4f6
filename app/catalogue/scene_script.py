"""What a scene (场景) asks: questions and choices that end at an item or at an exit page. Pure.

A script is one JSON document, described by ``config/items/scene.schema.json``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

from jsonschema_rs import Draft202012Validator

from app.catalogue.domain import OUR_SCHEME
from config import items


@dataclass(frozen=True, slots=True)
class Target:
    """Where a choice leads: exactly one of a question, an item (perhaps one variant of it), an exit."""

    question: str = ""
    item: str = ""
    scheme: str = OUR_SCHEME
    variant: str = ""
    exit: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    code: str
    text: str
    to: Target
    note: str = ""


@dataclass(frozen=True, slots=True)
class SceneQuestion:
    """One page: a question and two or more choices."""

    code: str
    text: str
    choices: tuple[Choice, ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class Exit:
    """这件事不在网上办: where to go, whom to call, what to bring."""

    title: str
    text: str
    where: str
    phone: str
    bring: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    summary: str
    start: str
    questions: Mapping[str, SceneQuestion]
    exits: Mapping[str, Exit]


@dataclass(frozen=True, slots=True)
class Taken:
    """One answer given on the way."""

    question: SceneQuestion
    choice: Choice


@dataclass(frozen=True, slots=True)
class Walk:
    """Where somebody stands in a scene.

    Attributes:
        question: what is asked next; None at the end of the way.
        target: the item or exit at the end; None before.
        outdated: an answer is none of the choices any more; the way ends before it.
        most_left: how many questions are left at most, the current one included.
    """

    taken: tuple[Taken, ...]
    question: SceneQuestion | None
    target: Target | None
    outdated: bool
    most_left: int


@lru_cache(maxsize=1)
def _meta() -> Draft202012Validator:
    return Draft202012Validator(items.scene_schema())


def script_of(raw: Mapping[str, Any]) -> Script:
    """Read a document without problems."""
    return Script(
        name=raw["name"],
        summary=raw["summary"],
        start=raw["start"],
        questions={code: _question(code, told) for code, told in raw["questions"].items()},
        exits={
            code: Exit(**{**told, "bring": tuple(told.get("bring", ()))})
            for code, told in raw.get("exits", {}).items()
        },
    )


def _question(code: str, told: Mapping[str, Any]) -> SceneQuestion:
    choices = tuple(Choice(**{**one, "to": Target(**one["to"])}) for one in told["choices"])
    return SceneQuestion(code, told["text"], choices, told.get("help", ""))


def script_problems(raw: Any) -> list[str]:
    """Return what is wrong with a document by itself, in Chinese: its shape, dead ends, circles, islands."""
    faults = [f"{'/'.join(map(str, one.instance_path))}: {one.message}" for one in _meta().iter_errors(raw)]
    return faults or list(_graph_problems(script_of(raw)))


def _graph_problems(script: Script) -> Iterator[str]:
    if script.start not in script.questions:
        yield f"没有开头的问题 {script.start}"
    for question in script.questions.values():
        codes = [one.code for one in question.choices]
        if len(codes) != len(set(codes)):
            yield f"问题 {question.code}：选项编号重复"
        for one in question.choices:
            if one.to.question and one.to.question not in script.questions:
                yield f"问题 {question.code} 的选项“{one.text}”：没有问题 {one.to.question}"
            if one.to.exit and one.to.exit not in script.exits:
                yield f"问题 {question.code} 的选项“{one.text}”：没有出口 {one.to.exit}"
    circle = _circle(script)
    if circle:
        yield f"问题绕成了圈：{' → '.join(circle)}"
        return
    questions, exits = _reached(script)
    yield from (f"问题 {code} 走不到" for code in script.questions if code not in questions)
    yield from (f"出口 {code} 走不到" for code in script.exits if code not in exits)


def _following(script: Script, code: str) -> list[str]:
    return [one.to.question for one in script.questions[code].choices if one.to.question in script.questions]


def _circle(script: Script) -> list[str]:
    try:
        TopologicalSorter({code: _following(script, code) for code in script.questions}).prepare()
    except CycleError as error:
        # The sorter names it against the direction in which people walk.
        return list(reversed(error.args[1]))
    return []


def _reached(script: Script) -> tuple[set[str], set[str]]:
    """Return which questions and exits one can get to."""
    questions: set[str] = set()
    edge = {script.start} & set(script.questions)
    while edge:
        questions |= edge
        edge = {after for code in edge for after in _following(script, code)} - questions
    exits = {one.to.exit for code in questions for one in script.questions[code].choices if one.to.exit}
    return questions, exits


def leaves(script: Script) -> Iterator[tuple[SceneQuestion, Choice]]:
    """Yield every choice that ends at an item."""
    for question in script.questions.values():
        yield from ((question, one) for one in question.choices if one.to.item)


def walk(script: Script, answers: Sequence[str]) -> Walk:
    """Follow the answers from the start as far as they go; what comes after the end counts for nothing."""
    question = script.questions[script.start]
    taken: list[Taken] = []
    for code in answers:
        choice = next((one for one in question.choices if one.code == code), None)
        if choice is None:
            return Walk(tuple(taken), question, None, True, _depth(script, question.code))
        taken.append(Taken(question, choice))
        if not choice.to.question:
            return Walk(tuple(taken), None, choice.to, False, 0)
        question = script.questions[choice.to.question]
    return Walk(tuple(taken), question, None, False, _depth(script, question.code))


def _depth(script: Script, start: str) -> int:
    """Return the number of questions on the longest way from ``start``."""
    order = TopologicalSorter({code: _following(script, code) for code in script.questions}).static_order()
    depth: dict[str, int] = {}
    for code in order:  # those at the end of ways come first
        depth[code] = 1 + max((depth[after] for after in _following(script, code)), default=0)
    return depth[start]
