"""The invariants of a merge, over forms and themes at random."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.catalogue import service as catalogue
from app.themes import merging, projecting
from app.themes.invariants import broken
from app.themes.strictness import as_strict, stricter
from tests.app.themes import forms

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(forms.themes())
def test_every_merge_keeps_each_item_whole_and_apart(made):
    definition, sources = made

    merged = merging.merge(definition, sources)

    assert broken(definition, sources, merged) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(forms.entangled_themes())
def test_a_question_is_asked_when_and_only_when_an_item_asks_for_it(made):
    definition, sources = made
    merged = merging.merge(definition, sources)

    for answers in forms.all_answers(merged.form["schema"]["properties"]):
        asked = set(catalogue.visible_fields(merged.form, answers))
        wanted = set()
        for source in sources:
            names = {field: name for name, field in merged.fields_of(source.item).items()}
            own = {field: answers[name] for field, name in names.items() if name in answers and name in asked}
            wanted |= {names[field] for field in catalogue.visible_fields(source.form, own)}

        assert asked == wanted


@QUICK
@given(forms.themes(), st.data())
def test_a_body_gets_fields_of_its_own_form_only_and_none_that_are_hidden(made, data):
    definition, sources = made
    merged = merging.merge(definition, sources)
    answers = data.draw(forms.answers_for(merged.form["schema"]["properties"]))

    for source in sources:
        own = projecting.projection(merged, source.item, source.form, answers)

        assert set(own) <= set(catalogue.visible_fields(source.form, own))


@settings(max_examples=200, deadline=None)
@given(forms.properties, forms.properties)
def test_the_stricter_of_two_questions_is_as_strict_as_both(one, other):
    joined = stricter(one, other)

    assert joined is None or (as_strict(joined, one) and as_strict(joined, other))


@settings(max_examples=200, deadline=None)
@given(forms.properties, forms.properties)
def test_which_of_two_questions_comes_first_does_not_matter(one, other):
    forwards, backwards = stricter(one, other), stricter(other, one)

    assert (forwards is None) == (backwards is None)
    if forwards is not None:
        assert as_strict(forwards, backwards)
        assert as_strict(backwards, forwards)
