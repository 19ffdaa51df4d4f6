"""What a message says: the worst first, counts for the rest, never longer than the way takes."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.alerts.domain import TITLE_MAX, Severity
from app.alerts.wording import content_of, plain_text, title_of
from tests.app.alerts.test_mail import AT, an_item

URL = "https://hall.example.cn/alerts/messages/1"
items = st.lists(
    st.builds(
        an_item,
        title=st.text(min_size=1, max_size=120),
        text=st.text(max_size=300),
        severity=st.sampled_from(Severity),
        topic=st.sampled_from(["incident.opened", "incident.resolved", "something.new"]),
        count=st.integers(1, 50),
    ),
    min_size=1,
    max_size=30,
)


@given(items, st.integers(300, 4000))
def test_a_text_fits_and_keeps_its_link(several, bytes_max):
    text = plain_text(title_of(several), content_of(several, {}), url=URL, bytes_max=bytes_max)

    assert len(text.encode()) <= bytes_max
    assert text.endswith(URL)


@given(items)
def test_no_item_is_lost_from_the_count(several):
    content = content_of(several, {})

    assert len(content["items"]) + content["more"] == len(several)
    assert len(title_of(several)) <= TITLE_MAX


def test_a_storm_shows_the_worst_that_lasts_longest_first():
    late = an_item(title="严重较晚", at=AT + timedelta(minutes=5))
    early = an_item(title="严重较早")
    mild = [an_item(title=f"轻微 {number}", severity=Severity.WARNING) for number in range(20)]
    over = an_item(title="严重已恢复", recovered_at=AT)

    content = content_of([*mild, late, over, early], {})

    assert [one["title"] for one in content["items"]][:3] == ["严重较早", "严重较晚", "严重已恢复"]
    assert content["more"] == 13


def test_the_headline_counts_by_kind_the_worst_kind_first():
    several = [an_item(topic="incident.resolved", severity=Severity.INFO), an_item(), an_item()]

    assert title_of(several) == "【紧急】网页故障 2 个、故障恢复 1 个"


def test_the_summary_says_how_many_cities_and_bodies():
    several = [an_item(city_code="440100", body_id=1), an_item(city_code="440300", body_id=2)]

    assert content_of(several, {})["summary"] == "共 2 条：紧急 2 条，涉及 2 个地市、2 个单位。"


def test_an_outage_that_is_over_already_says_so_in_its_headline():
    assert title_of([an_item(recovered_at=AT)]) == "【紧急】户口办理无法访问（已恢复）"
