"""Which published page an address belongs to, on both databases."""

from __future__ import annotations

import pytest

from app.mobile_access import service
from app.mobile_access.service import State
from tests.app.mobile_access.builders import a_page


def test_an_address_belongs_to_the_page_of_its_origin_with_the_nearest_path(given):
    hz = given(a_page, state=State.ONLINE, url="https://hz.example.cn/m/")
    jzz = given(a_page, state=State.ONLINE, url="https://hz.example.cn/jzz/index.html", channels=("wechat",))
    given(a_page, state=State.ONLINE, url="https://hz.example.cn:8443/jzz/")
    given(a_page, state=State.SUSPENDED, url="https://hz.example.cn/jzz/apply/")

    found = given(service.page_at, "https://HZ.example.cn:443/jzz/apply/1?a=%25_b")

    assert found is not None
    assert (found.id, found.origin, found.kinds) == (jzz.id, "https://hz.example.cn", {"wechat"})
    assert given(service.page_at, "https://hz.example.cn/").id == hz.id


@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "url",
    [
        "",
        "hz.example.cn",
        "https://",
        "https://%/m/",
        "https://h_.example.cn/m/",
        "https://hz.example.cn/#",
        "x" * 3000,
    ],
)
def test_what_is_no_address_belongs_nowhere(given, url):
    given(a_page, state=State.ONLINE, url="https://hz.example.cn/m/")

    assert given(service.page_at, url) is None
