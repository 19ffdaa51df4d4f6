from hypothesis import given
from hypothesis import strategies as st

from app.mobile_access.domain import THEME_LABELS, Theme
from app.mobile_access.menus import SHAPES, MenuPage, compose
from channels.wechat import menu as wechat_menu

BASE = "https://hall.example.cn"


def a_menu_page(id=1, *, theme=Theme.TAX, name="办税", level=0):
    return MenuPage(id, name, theme, (level, "2026", id))


pages = st.lists(
    st.builds(
        a_menu_page,
        st.integers(1, 2**63 - 1),
        theme=st.sampled_from(Theme),
        name=st.text("办税户籍查询abc", min_size=1, max_size=40),
        level=st.integers(0, 2),
    ),
    max_size=60,
    unique_by=lambda page: page.id,
)


def test_without_pages_the_menu_leads_to_the_hall():
    (only,) = compose("wechat", [], BASE)

    assert (only.name, only.url) == ("更多服务", f"{BASE}/?channel=wechat")


def test_the_fields_the_notice_stresses_come_first():
    found = [a_menu_page(number, theme=theme) for number, theme in enumerate(Theme, start=1)]

    menu = compose("alipay", found, BASE)

    assert [top.name for top in menu] == ["交通", "税务", "教育", "更多服务"]


def test_entries_lead_to_the_halls_own_address_with_the_channel():
    menu = compose("wechat", [a_menu_page(7)], BASE)

    assert menu[0].children[0].url == f"{BASE}/go/7?channel=wechat"


def test_pages_that_do_not_fit_are_offered_under_more_services():
    found = [a_menu_page(number) for number in range(1, 8)]

    more = compose("wechat", found, BASE)[-1]

    assert [child.url.split("/")[-1].split("?")[0] for child in more.children[:-1]] == ["6", "7"]
    assert more.children[-1].name == "全部服务"


@given(pages)
def test_whatever_is_online_the_menu_keeps_the_limits_of_wechat(found):
    assert wechat_menu.check(compose("wechat", found, BASE)) == []


@given(pages, st.sampled_from(["wechat", "alipay", "another"]))
def test_menus_are_the_same_for_the_same_pages_in_any_order(found, kind):
    assert compose(kind, found, BASE) == compose(kind, list(reversed(found)), BASE)


@given(pages)
def test_alipay_entries_fit_and_no_page_stands_twice(found):
    shape = SHAPES["alipay"]
    menu = compose("alipay", found, BASE)
    leaves = [leaf for top in menu for leaf in (top.children or (top,))]

    assert len(menu) <= shape.top
    assert all(len(top.name) <= 4 and len(top.children) <= shape.children for top in menu)
    assert all(len(leaf.name) <= shape.child_name and len(leaf.url) <= 255 for leaf in leaves)
    assert len({leaf.url for leaf in leaves}) == len(leaves)


def test_every_theme_name_fits_the_narrowest_menu():
    assert max(map(len, THEME_LABELS.values())) <= 4
