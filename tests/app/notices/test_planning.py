"""Which ways a message may take, and in which order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.notices.domain import DEFAULT_ORDER, PlatformForm, Right, way_of
from app.notices.planning import Place, candidates, page_of

KINDS = ("wechat", "wechat_mini", "alipay", "alipay_mini")
PLACES = [Place(number, kind, "t") for number, kind in enumerate(KINDS, 1)]
FORMS = [
    PlatformForm(place.account_id, right, "T", {"thing1": "x"})
    for place in PLACES
    for right in (Right.SUBSCRIBE, Right.TEMPLATE)
]
some_kinds = st.lists(st.sampled_from(KINDS), unique=True)


def planned(order=DEFAULT_ORDER, *, forms=FORMS, places=PLACES, wanted=(), muted=(), binding=False):
    found = candidates(order, forms, places, wanted=wanted, muted=muted, binding=binding)
    return [str(one.way) for one in found]


def test_without_wishes_the_templates_order_holds():
    assert planned() == list(DEFAULT_ORDER)


def test_a_wish_moves_a_channel_to_the_front_and_keeps_the_order_within_it():
    assert planned(wanted=["alipay"])[:3] == ["alipay.template", "alipay.service", "wechat_mini.subscribe"]


def test_a_way_without_a_form_or_without_a_place_is_none():
    assert planned(forms=[]) == ["wechat.service", "alipay.service"]
    assert planned(places=[]) == []


@given(some_kinds, some_kinds, st.booleans(), st.permutations(DEFAULT_ORDER))
@settings(max_examples=50)
def test_wishes_lose_no_way_and_mutes_bind_all_but_legal_notices(wanted, muted, binding, order):
    found = planned(order, wanted=wanted, muted=muted, binding=binding)

    allowed = [one for one in order if binding or way_of(one).kind not in muted]
    assert sorted(found) == sorted(allowed)
    kinds = list(dict.fromkeys(way_of(one).kind for one in found))
    liked = [kind for kind in wanted if kind in kinds]
    assert kinds[: len(liked)] == liked


def test_a_tap_opens_our_page_and_in_a_mini_program_its_own():
    assert page_of("wechat", "https://h/7", 7).startswith("https://")
    assert page_of("alipay_mini", "https://h/7", 7) == "pages/messages/messages?id=7"
