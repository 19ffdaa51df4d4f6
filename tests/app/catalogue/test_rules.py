"""Rules over several fields: sound or not, and the same outcome here and on the phone."""

import copy
import json
import os
import subprocess
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.catalogue import forms, rules
from tests.app.catalogue.builders import FORM, good_answers
from tests.interop import node

SHARED = Path("clients/shared")
VECTORS = json.loads((SHARED / "test" / "form-vectors.json").read_text(encoding="utf-8"))
TODAY = date(2026, 3, 2)


def outcome(form, answers):
    visible = forms.visible_fields(form, answers)
    return visible, [list(one) for one in rules.broken(form.get("rules", ()), answers, visible)]


@pytest.mark.parametrize("case", [pytest.param(one, id=one["name"]) for one in VECTORS])
def test_each_case_has_its_outcome(case):
    assert outcome(case["form"], case["answers"]) == (case["visible"], case["broken"])


names = st.sampled_from(["a", "b", "c", "d"])
plain = st.sampled_from(["x", "", True, False, 0, 1, 2, -1, "2026-02-01", "2026-02-02"])
answers = st.dictionaries(names, plain | st.lists(st.sampled_from(["x", "y"]), max_size=2))
condition = st.one_of(
    st.tuples(st.sampled_from(["===", "!=="]), names, plain).map(lambda t: {t[0]: [{"var": t[1]}, t[2]]}),
    st.tuples(names, st.lists(plain, min_size=1, max_size=3)).map(lambda t: {"in": [{"var": t[0]}, t[1]]}),
    st.tuples(st.sampled_from(["x", "y"]), names).map(lambda t: {"in": [t[0], {"var": t[1]}]}),
)
deep = condition | st.lists(condition, min_size=1, max_size=2).flatmap(
    lambda told: st.sampled_from([{"and": told}, {"or": told}, {"!": told[0]}])
)
several = st.lists(names, min_size=2, max_size=3, unique=True)
pair = st.lists(names, min_size=2, max_size=2, unique=True)
check = st.one_of(
    st.tuples(st.sampled_from(rules.PAIRS), pair).map(lambda t: {t[0]: t[1]}),
    several.map(lambda told: {"at_least_one": told}),
    st.tuples(several, st.sampled_from(["equals", "at_most", "at_least"]), st.integers(-3, 3) | names).map(
        lambda t: {"sum": {"of": t[0], t[1]: t[2]}}
    ),
)
rule = st.tuples(check, st.none() | deep).map(
    lambda t: {**t[0], "message": "不对", **({"when": t[1]} if t[1] else {})}
)
form = st.tuples(st.lists(rule, max_size=3), st.none() | deep, st.none() | deep).map(
    lambda t: {
        "sections": [{"fields": ["a", "b"]}, {"fields": ["c", "d"]}],
        "fields": {
            "a": {},
            "b": {},
            "c": {"visible_if": t[1]} if t[1] else {},
            "d": {"visible_if": t[2]} if t[2] else {},
        },
        "rules": t[0],
    }
)


@pytest.mark.skipif(not node.executable(), reason="Node half: Node is not installed")
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(form, answers), min_size=100, max_size=100))
def test_the_phone_decides_as_the_server_does(tmp_path_factory, made):
    cases = []
    for number, (one, said) in enumerate(made):
        visible, broken = outcome(one, said)
        cases.append(
            {"name": f"{number}", "form": one, "answers": said, "visible": visible, "broken": broken}
        )
    file = tmp_path_factory.mktemp("cases") / "cases.json"
    file.write_text(json.dumps(cases), encoding="utf-8")

    done = subprocess.run(
        [node.executable(), "test/conditions.test.js"],
        cwd=SHARED,
        env={**os.environ, "NODE_OPTIONS": "", "HALL_CASES": str(file)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-3000:]


def with_rules(*told):
    made = copy.deepcopy(FORM)
    made["schema"]["properties"]["until"] = {"type": "string", "format": "date"}
    made["sections"][1]["fields"].append("until")
    made["fields"]["until"] = {"label": "到哪天"}
    made["rules"] = list(told)
    return made


def test_a_broken_rule_is_told_beside_its_field():
    made = with_rules({"not_after": ["since", "until"], "message": "结束不能早于开始"})

    assert forms.form_problems(made) == []
    assert forms.problems(made, good_answers(until="2015-07-31"), TODAY) == {"until": ["结束不能早于开始"]}
    assert forms.problems(made, good_answers(until="2015-08-01"), TODAY) == {}


@pytest.mark.parametrize(
    ("told", "word"),
    [
        pytest.param({"not_after": ["since", "until"]}, "message", id="without words"),
        pytest.param({"not_after": ["since", "gone"], "message": "x"}, "不存在", id="unknown field"),
        pytest.param({"not_after": ["since", "since"], "message": "x"}, "两次", id="with itself"),
        pytest.param({"not_after": ["since", "ground"], "message": "x"}, "日期", id="days and others"),
        pytest.param(
            {"sum": {"of": ["rooms", "since"], "equals": 1}, "message": "x"}, "整数", id="sum of days"
        ),
        pytest.param({"sum": {"of": ["rooms", "since"]}, "message": "x"}, "sum", id="a sum without a goal"),
        pytest.param({"equal": ["rooms", "since"], "message": "x"}, "同一类", id="unlike kinds"),
        pytest.param({"regex": ["since", "until"], "message": "x"}, "regex", id="another language"),
        pytest.param(
            {"before": ["since", "until"], "equal": ["since", "until"], "message": "x"},
            "rules",
            id="two in one",
        ),
        pytest.param(
            {"before": ["since", "until"], "message": "x", "when": {"===": [{"var": "name"}, "某"]}},
            "个人信息",
            id="hangs on a personal answer",
        ),
        pytest.param(
            {"before": ["since", "until"], "message": "x", "when": {"<": [{"var": "rooms"}, 1]}},
            "不支持",
            id="a loose operator",
        ),
    ],
)
def test_unsound_rules_are_told(told, word):
    assert word in " ".join(forms.form_problems(with_rules(told)))
