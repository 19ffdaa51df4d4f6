import pytest

from app.mobile_access.service import CheckVerdict, State
from tests.app.mobile_access.builders import a_page, finish_check
from tests.builders import a_bearer, a_body, a_principal

PAGES = "/api/v1/mobile-pages"


def a_document(body, **changed):
    return {
        "body_id": str(body.id),
        "name": "户政服务",
        "url": "https://hz.example.cn/m/",
        "theme": "household",
        "channels": ["wechat", "alipay"],
        "hotline": "020-12345",
        **changed,
    }


@pytest.fixture
def body(given):
    return given(a_body)


@pytest.fixture
def operator(given, body):
    return given(lambda: a_bearer(a_principal("department_operator", body=body)))


@pytest.fixture
def reviewer(given):
    return given(lambda: a_bearer(a_principal("province_reviewer")))


def test_a_registered_page_can_be_read_back(client, body, operator):
    made = client.post(PAGES, json=a_document(body), headers=operator)
    read = client.get(f"{PAGES}/{made.json['id']}", headers=operator)

    assert made.status_code == 201
    assert made.json["state"] == "registered"
    assert read.json == made.json
    assert read.headers["ETag"]


def test_a_repeated_registration_under_one_key_makes_one_page(client, body, operator):
    headers = {**operator, "Idempotency-Key": "first-page-1"}

    answers = [client.post(PAGES, json=a_document(body), headers=headers) for _ in range(2)]
    other = client.post(PAGES, json=a_document(body, name="别的"), headers=headers)

    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].data == answers[1].data
    assert (other.status_code, other.json["code"]) == (409, "idempotency_key_reused")


def test_an_address_is_registered_once(client, body, operator):
    client.post(PAGES, json=a_document(body), headers=operator)

    again = client.post(PAGES, json=a_document(body, url="HTTPS://HZ.example.cn:443/m/"), headers=operator)

    assert (again.status_code, again.json["code"]) == (409, "address_taken")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1/", "private_address"),
        ("http://2130706433/", "private_address"),
        ("http://localhost:9/", "private_address"),
        ("https://10.0.0.8/m", "private_address"),
        ("http://[::1]/", "private_address"),
        ("http://169.254.169.254/latest", "private_address"),
        ("ftp://hz.example.cn/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("https://user:secret@hz.example.cn/", "userinfo"),
        ("hz.example.cn", "url_syntax"),
    ],
)
def test_an_address_the_guard_refuses_is_named_at_once(client, body, operator, url, code):
    answer = client.post(PAGES, json=a_document(body, url=url), headers=operator)

    assert answer.status_code == 422
    assert answer.json["code"] == "address_refused"
    assert answer.json["errors"]["url"][0]["code"] == code
    assert "网址" in answer.json["errors"]["url"][0]["message"]


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""},
        {"name": "名" * 41},
        {"name": 5},
        {"name": "a\u0000b"},
        {"theme": "nonsense"},
        {"channels": []},
        {"channels": ["wechat", "wechat"]},
        {"channels": ["stub"]},
        {"channels": "wechat"},
        {"url": None},
        {"body_id": 12},
        {"body_id": "99999999999999999999"},
        {"domains": ["bad domain"]},
        {"domains": ["x.cn"] * 21},
        {"unknown": 1},
        {"elder_url": "http://10.1.1.1/"},
    ],
    ids=str,
)
def test_a_bad_registration_is_refused_with_its_fields(client, body, operator, changed):
    answer = client.post(PAGES, json=a_document(body, **changed), headers=operator)

    assert answer.status_code == 422
    assert answer.json["errors"]


def test_nobody_registers_for_another_body(client, given, operator):
    other = given(a_body, name="教育厅")

    answer = client.post(PAGES, json=a_document(other), headers=operator)

    assert answer.status_code == 404


def test_a_foreign_page_is_not_found(client, given, operator):
    page = given(a_page, body=given(a_body, name="教育厅"))

    answers = [
        client.get(f"{PAGES}/{page.id}", headers=operator),
        client.post(f"{PAGES}/{page.id}/checks", headers=operator),
        client.post(f"{PAGES}/{page.id}/retirement", json={"version": 1}, headers=operator),
        client.get(f"{PAGES}/{page.id}/checks/1", headers=operator),
    ]

    assert {one.status_code for one in answers} == {404}
    assert client.get(PAGES, headers=operator).json["items"] == []


def test_a_change_needs_the_version_it_is_based_on(client, body, operator):
    made = client.post(PAGES, json=a_document(body), headers=operator)
    address = f"{PAGES}/{made.json['id']}"
    tag = client.get(address, headers=operator).headers["ETag"]
    changed = {name: value for name, value in a_document(body, name="新名").items() if name != "body_id"}

    without = client.put(address, json=changed, headers=operator)
    first = client.put(address, json=changed, headers={**operator, "If-Match": tag})
    late = client.put(address, json=changed, headers={**operator, "If-Match": tag})

    assert [one.status_code for one in (without, first, late)] == [428, 200, 412]
    assert (first.json["name"], first.json["version"]) == ("新名", 2)


def test_a_page_is_checked_reviewed_and_taken_down_through_the_api(client, given, body, operator, reviewer):
    made = client.post(PAGES, json=a_document(body), headers=operator).json
    address = f"{PAGES}/{made['id']}"

    checking = client.post(f"{address}/checks", headers=operator)
    given(finish_check, int(made["id"]))
    page = client.get(address, headers=reviewer).json
    decision = {"channels": ["wechat", "alipay"], "version": page["version"]}
    online = client.post(f"{address}/approval", json=decision, headers=reviewer)
    reason = {"reason": "例行维护", "version": online.json["version"]}
    down = client.post(f"{address}/suspension", json=reason, headers=reviewer)
    again = client.post(f"{address}/recheck", json={"version": down.json["version"]}, headers=operator)

    assert [one.status_code for one in (checking, online, down, again)] == [202, 200, 200, 202]
    states = [one.json["state"] for one in (checking, online, down, again)]
    assert states == ["checking", "online", "suspended", "checking"]


def test_a_move_that_is_not_allowed_names_the_state(client, given, reviewer):
    page = given(a_page, state=State.CHECKING)

    answer = client.post(
        f"{PAGES}/{page.id}/approval",
        json={"channels": ["wechat"], "version": page.version},
        headers=reviewer,
    )

    assert (answer.status_code, answer.json["code"]) == (409, "move_not_allowed")
    assert "检测中" in answer.json["detail"]


def test_an_older_version_is_stale(client, given, reviewer):
    page = given(a_page, state=State.PASSED)

    answer = client.post(
        f"{PAGES}/{page.id}/approval",
        json={"channels": ["wechat"], "version": page.version - 1},
        headers=reviewer,
    )

    assert (answer.status_code, answer.json["code"]) == (409, "stale")


@pytest.mark.parametrize("version", ["1", 0, -1, 1.5, None, 10**40], ids=str)
def test_a_version_is_a_whole_number(client, given, reviewer, version):
    page = given(a_page)

    answer = client.post(
        f"{PAGES}/{page.id}/suspension", json={"reason": "x", "version": version}, headers=reviewer
    )

    assert answer.status_code == 422


def test_an_operator_may_not_review(client, given, body, operator):
    page = given(a_page, body=body, state=State.PASSED)

    answer = client.post(
        f"{PAGES}/{page.id}/approval",
        json={"channels": ["wechat"], "version": page.version},
        headers=operator,
    )

    assert answer.status_code == 403


def test_a_listing_goes_on_where_it_stopped(client, given, body, operator):
    made = {str(given(a_page, body=body).id) for _ in range(5)}

    first = client.get(f"{PAGES}?limit=3", headers=operator).json
    rest = client.get(f"{PAGES}?limit=3&cursor={first['next_cursor']}", headers=operator).json

    assert len(first["items"]) == 3
    assert {one["id"] for one in first["items"] + rest["items"]} == made
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["cursor=nonsense", "cursor=YQ", "limit=0", "limit=101", "state=gone", "body_id=x"]
)
def test_a_bad_query_is_refused(client, operator, query):
    assert client.get(f"{PAGES}?{query}", headers=operator).status_code == 422


def test_a_listing_is_narrowed(client, given, body, operator):
    given(a_page, body=body, name="户口迁移", state=State.FAILED)
    given(a_page, body=body, name="100%办结")

    found = [
        [one["name"] for one in client.get(f"{PAGES}?{query}", headers=operator).json["items"]]
        for query in ("state=failed", "text=%25", "theme=tax")
    ]

    assert found == [["户口迁移"], ["100%办结"], []]


def test_a_finished_check_shows_its_report(client, given, body, operator):
    page = given(a_page, body=body, state=State.CHECKING)
    given(finish_check, page.id, CheckVerdict.FAIL, report={"rules": []})

    listed = client.get(f"{PAGES}/{page.id}/checks", headers=operator).json
    report = client.get(f"{PAGES}/{page.id}/checks/1", headers=operator).json

    assert [one["verdict"] for one in listed] == ["fail"]
    assert report["report"] == {"rules": []}
    assert client.get(f"{PAGES}/{page.id}/checks/2", headers=operator).status_code == 404


def test_a_body_that_is_too_large_is_refused(client, body, operator):
    answer = client.post(PAGES, json=a_document(body, description="长" * 3_000_000), headers=operator)

    assert answer.status_code == 413


def test_contact_persons_never_leave_through_the_api(client, body, operator):
    document = a_document(body, contact_name="张三", contact_phone="020-00000000")

    made = client.post(PAGES, json=document, headers=operator)

    assert made.json["has_contact"]
    assert "020-00000000" not in made.text
    assert "张三" not in made.text
