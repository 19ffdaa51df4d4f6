"""Items' forms and themes over them, drawn at random: sound each, odd together."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

from app.catalogue.service import Handing, Material
from app.themes import definition
from app.themes.merging import Source

NAMES = [f"f{number}" for number in range(6)]
CHOICES = ["a", "b", "c", "d"]
WAYS = list(Handing)


def choice(consts):
    return {"type": "string", "oneOf": [{"const": one, "title": one} for one in consts]}


properties = st.one_of(
    st.builds(
        lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more},
        st.integers(1, 5),
        st.integers(0, 5),
    ),
    st.builds(choice, st.lists(st.sampled_from(CHOICES), min_size=1, unique=True)),
    st.builds(
        lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more},
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    st.sampled_from([{"type": "boolean"}, {"type": "boolean", "const": True}]),
    st.sampled_from(
        [
            {"type": "string", "format": "date", "x-not-after": "today"},
            {"type": "string", "format": "date", "x-not-after": "2020-01-01"},
            {"type": "string", "format": "date", "x-not-before": "2019-01-01"},
        ]
    ),
)


@st.composite
def conditions(draw, names, consts=(*CHOICES, 3, True)):
    def atom():
        name = draw(st.sampled_from(names))
        value = draw(st.sampled_from(consts))
        kind = draw(st.sampled_from(["===", "!==", "in"]))
        return (
            {"in": [{"var": name}, [value, CHOICES[0]]]} if kind == "in" else {kind: [{"var": name}, value]}
        )

    made = atom()
    for _ in range(draw(st.integers(0, 1))):
        made = draw(st.sampled_from([{"and": [made, atom()]}, {"or": [made, atom()]}, {"!": made}]))
    return made


@st.composite
def item_forms(draw):
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    words = {}
    for place, name in enumerate(names):
        words[name] = {"label": name}
        if place and draw(st.booleans()):
            words[name]["visible_if"] = draw(conditions(names[:place]))
    return {
        "schema": {
            "type": "object",
            "additionalProperties": False,
            "required": [name for name in names if draw(st.booleans())],
            "properties": {name: draw(properties) for name in names},
        },
        "sections": [{"title": "内容", "fields": names}],
        "fields": words,
    }


@st.composite
def materials(draw):
    codes = draw(st.lists(st.sampled_from(["m1", "m2", "m3"]), max_size=3, unique=True))
    ways = st.lists(st.sampled_from(WAYS), min_size=1, unique=True).map(tuple)
    return tuple(Material(code, code, draw(ways), required=draw(st.booleans())) for code in codes)


@st.composite
def themes(draw):
    """Return a definition and its sources; which fields are one fact is as wild as an author may be."""
    items = [f"T{number}" for number in range(draw(st.integers(2, 3)))]
    sources = [Source(item, f"事项{item}", draw(item_forms()), draw(materials())) for item in items]
    questions = []
    for number in range(draw(st.integers(1, 5))):
        uses = {item: draw(st.sampled_from(NAMES)) for item in items if draw(st.booleans())}
        name = draw(st.sampled_from([f"q{number}", f"x{number}"]))
        questions.append({"name": name, "uses": uses} if uses else draw(st.sampled_from(NAMES)))
    names = [one if isinstance(one, str) else one["name"] for one in questions]
    questions = [one for place, one in enumerate(questions) if names.index(names[place]) == place]
    slots = []
    for number in range(draw(st.integers(0, 3))):
        uses = {item: draw(st.sampled_from(["m1", "m2", "m3"])) for item in items if draw(st.booleans())}
        if uses:
            slots.append({"code": f"s{number}", "name": f"材料{number}", "uses": uses})
    made = definition.read(
        {
            "code": "T",
            "name": "示例一件事",
            "summary": "试用",
            "items": [{"code": item} for item in items],
            "sections": [{"title": "合并", "questions": questions}],
            "materials": slots,
        }
    )
    return made, sources


def all_answers(names):
    """Yield every way to answer each of a few choices with ``a``, with ``b`` or not at all."""
    for values in product((*CHOICES[:2], None), repeat=min(3, len(names))):
        yield {name: value for name, value in zip(names, values, strict=False) if value is not None}


def answers_for(source_properties):
    """Return answers of the right kinds, some of them missing."""
    values = {name: st.sampled_from([*CHOICES, 3, True, "abc", "2019-06-01"]) for name in source_properties}
    return st.fixed_dictionaries({}, optional=values)


@st.composite
def entangled_themes(draw):
    """Return a theme whose items share most of their questions and ask for them under other conditions."""
    sources = []
    for item in ("T0", "T1"):
        names = NAMES[:3]
        words = {name: {"label": name} for name in names}
        for place, name in enumerate(names[1:], start=1):
            if draw(st.booleans()):
                words[name]["visible_if"] = draw(conditions(names[:place], CHOICES[:2]))
        schema = {name: choice(CHOICES) for name in names}
        form = {
            "schema": {"type": "object", "additionalProperties": False, "required": [], "properties": schema},
            "sections": [{"title": "内容", "fields": names}],
            "fields": words,
        }
        sources.append(Source(item, item, form, ()))
    made = definition.read(
        {
            "code": "T",
            "name": "示例一件事",
            "summary": "试用",
            "items": [{"code": "T0"}, {"code": "T1"}],
            "sections": [{"title": "合并", "questions": NAMES[:3]}],
        }
    )
    return made, sources
