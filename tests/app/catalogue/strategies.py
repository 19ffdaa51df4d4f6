"""Contents and forms for property tests: small enough that two of them often share something."""

from __future__ import annotations

from hypothesis import strategies as st

from app.catalogue.content import (
    Content,
    Fee,
    Material,
    Place,
    Question,
    Result,
    Step,
    Variant,
)
from app.catalogue.domain import CaseType, Delivery, Handing, ServedKind

NASTY = ["=1+1", "'=a", "@x", "-1+a", "a|b", "a\\b", "a\nb", 'say "so"', "甲，乙", "+86 20-12345"]
TEXTS = st.sampled_from(NASTY) | st.text("甲乙丙 ab|\\\n=、", max_size=6).map(str.strip)
NAMES = st.sampled_from(["甲", "乙", "丙", "丁|", "=戊", "己\\"])
CODES = st.sampled_from(["m1", "m2", "m3", "m4"])
DAYS = st.integers(0, 30)


def lists(members, size=4):
    return st.lists(members, max_size=size).map(tuple)


def subsets(codes):
    return st.lists(st.sampled_from(list(codes)), unique=True).map(tuple)


MATERIALS = st.builds(
    Material,
    code=CODES,
    name=NAMES,
    handings=subsets(Handing),
    source=NAMES,
    original_count=DAYS,
    copy_count=DAYS,
    required=st.booleans(),
    note=TEXTS,
    variants=st.lists(st.sampled_from(["one", "two"]), unique=True).map(tuple),
)
WHEN = st.none() | st.just({"===": [{"var": "ground"}, "work"]})
CONTENTS = st.builds(
    Content,
    name=NAMES,
    summary=TEXTS,
    served=subsets(ServedKind),
    case_type=st.sampled_from(CaseType),
    promised_days=DAYS,
    lawful_days=st.none() | DAYS,
    conditions=lists(TEXTS.filter(bool)),
    materials=lists(MATERIALS),
    steps=lists(st.builds(Step, name=NAMES, days=DAYS, by=TEXTS, result=TEXTS)),
    results=lists(st.builds(Result, name=NAMES, kind=NAMES)),
    deliveries=subsets(Delivery),
    hotline=st.sampled_from(["12345", "020-12345", ""]),
    complaint_line=st.sampled_from(["12345", ""]),
    places=lists(st.builds(Place, name=NAMES, address=TEXTS, hours=TEXTS)),
    online=st.booleans(),
    full_process=st.booleans(),
    visits=st.integers(0, 3),
    visit_reason=TEXTS,
    supplement_days=DAYS,
    pauses=lists(NAMES),
    fees=lists(st.builds(Fee, name=NAMES, fen=st.none() | DAYS, standard=TEXTS, basis=TEXTS)),
    questions=lists(st.builds(Question, question=NAMES, answer=TEXTS)),
    synonyms=lists(NAMES),
    variants=lists(st.builds(Variant, code=CODES, name=NAMES, when=WHEN, note=TEXTS)),
    level=st.integers(1, 3),
    second_person=st.booleans(),
)
_PROPERTIES = st.sampled_from(
    [
        {"type": "string", "maxLength": 20},
        {"type": "string", "maxLength": 30, "x-personal": "name"},
        {"type": "string", "oneOf": [{"const": "a", "title": "甲"}, {"const": "b", "title": "乙"}]},
        {"type": "integer", "minimum": 0, "maximum": 9},
    ]
)
_WORDS = st.fixed_dictionaries(
    {"label": st.sampled_from(["姓名", "事由"])}, optional={"help": st.sampled_from(["照证件填", "写全"])}
)


@st.composite
def forms(draw):
    """Draw a sound form of up to four fields in up to three sections, some of which share a title."""
    names = draw(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, unique=True))
    cuts = sorted(draw(st.sets(st.integers(1, len(names)), max_size=2)) - {len(names)})
    spans = zip([0, *cuts], [*cuts, len(names)], strict=True)
    return {
        "schema": {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: draw(_PROPERTIES) for name in names},
            "required": draw(st.permutations([name for name in names if draw(st.booleans())])),
        },
        "sections": [
            {"title": draw(st.sampled_from(["一", "二"])), "fields": names[first:last]}
            for first, last in spans
        ],
        "fields": {name: draw(_WORDS) for name in names},
    }


FORMS = st.none() | forms()
