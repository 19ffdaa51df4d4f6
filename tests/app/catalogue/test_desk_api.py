"""The desk's API: the same rules as on the pages, for programs of departments."""

import io
import json

import pytest

from app.catalogue.content import to_json
from app.catalogue.exchange_files import FileForm, FileRow, What, written
from app.catalogue.service import VersionEvent
from app.organisations import service as organisations
from tests.app.catalogue.builders import FORM, a_content, a_directory, a_version, an_item
from tests.builders import a_bearer, a_body, a_principal

API = "/api/v1/catalogue"
on_sqlite = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


class Caller:
    def __init__(self, client, headers):
        self.client, self.headers = client, headers

    def get(self, path):
        return self.client.get(f"{API}{path}", headers=self.headers)

    def send(self, method, path, **kwargs):
        return self.client.open(f"{API}{path}", method=method, headers=self.headers, **kwargs)


@pytest.fixture
def operator(client, given):
    return Caller(client, given(lambda: a_bearer(a_principal("department_operator", body=a_body()))))


@pytest.fixture
def reviewer(client, given):
    return Caller(client, given(lambda: a_bearer(a_principal("province_reviewer"))))


def begun(operator, item_id):
    made = operator.send("POST", f"/implementations/{item_id}/versions").json
    return operator.get(f"/versions/{made['id']}").json


def document(version, **changed):
    content = json.loads(json.dumps(to_json(a_content(**changed))))
    return {
        "version": version["version"],
        "content": content,
        "form": FORM,
        "effective_on": version["effective_on"],
    }


def test_a_change_is_written_compared_handed_in_and_filed(given, operator, reviewer):
    version = begun(operator, given(an_item))
    path = f"/versions/{version['id']}"
    saved = operator.send("PUT", path, json=document(version, promised_days=5)).json
    handed = operator.send(
        "POST", f"{path}/moves", json={"event": "submit", "version": saved["version"]}
    ).json

    waiting = [one["newest_id"] for one in reviewer.get("/reviews").json]
    changes = reviewer.get(f"{path}/differences").json["changes"]
    filed = reviewer.send("POST", f"{path}/moves", json={"event": "file", "version": handed["version"]})

    assert waiting == [version["id"]]
    assert [(one["label"], one["old"], one["new"]) for one in changes] == [("承诺办结时限", "8", "5")]
    assert (filed.status_code, filed.json["state"], filed.json["may"]) == (200, "filed", [])


@on_sqlite
def test_an_old_version_number_is_refused_with_stale(given, operator):
    version = begun(operator, given(an_item))
    operator.send("PUT", f"/versions/{version['id']}", json=document(version, promised_days=5))

    late = operator.send("PUT", f"/versions/{version['id']}", json=document(version, promised_days=6))

    assert (late.status_code, late.json["code"]) == (409, "stale")


@on_sqlite
def test_moves_of_others_and_of_the_clock_are_forbidden(given, app, operator, reviewer):
    version_id = given(a_version, given(an_item), until=VersionEvent.SUBMIT, promised_days=5)
    version = operator.get(f"/versions/{version_id}").json

    answers = {
        who: caller.send(
            "POST", f"/versions/{version_id}/moves", json={"event": event, "version": version["version"]}
        ).status_code
        for who, caller, event in (("operator", operator, "file"), ("out of turn", reviewer, "suspend"))
    }

    assert answers == {"operator": 403, "out of turn": 409}


@on_sqlite
def test_who_handed_in_does_not_file(app, given, client):
    """One person may be operator of a body and reviewer of the province at once."""

    def both():
        person = a_principal("department_operator", body=a_body())
        grant = organisations.grant_for(organisations.Role.PROVINCE_REVIEWER, "")
        organisations.add_grant(person.staff_id, grant, by="system")
        return Caller(client, a_bearer(person))

    caller = given(both)
    version = begun(caller, given(an_item))
    path = f"/versions/{version['id']}/moves"
    handed = caller.send("POST", path, json={"event": "submit", "version": 1}).json

    answer = caller.send("POST", path, json={"event": "file", "version": handed["version"]})

    assert (answer.status_code, answer.json["detail"]) == (403, "送审的人不能自己备案")


@on_sqlite
def test_a_form_that_is_not_sound_is_refused(given, operator):
    version = begun(operator, given(an_item))
    sent = {**document(version), "form": {**FORM, "sections": []}}

    answer = operator.send("PUT", f"/versions/{version['id']}", json=sent)

    assert answer.status_code == 422
    assert "form" in answer.json["errors"]


@on_sqlite
def test_scores_are_told_with_what_to_mend_first(given, operator):
    given(an_item)

    found = operator.get("/scores").json

    assert [one["body_name"] for one in found["bodies"]] == ["省公安厅"]
    assert found["rules"][0]["rule"]["advice"]


@on_sqlite
def test_a_file_is_tried_brought_in_and_taken_out(given, operator):
    given(a_directory)
    place = {
        "code": "x-1",
        "code_scheme": "test",
        "directory_code": "T001",
        "directory_scheme": "test",
        "body": "省公安厅",
    }
    file = written(What.ITEMS, FileForm.JSON, [FileRow(1, place, to_json(a_content()), True, FORM)])
    tried = operator.send("POST", "/imports", data={"file": (io.BytesIO(file), "a.json")}).json

    done = operator.send("POST", f"/imports/{tried['id']}/commit").json
    taken = operator.send("GET", "/export?form=json")

    assert [one["act"] for one in done["planned"]] == ["new"]
    assert json.loads(taken.data)["items"][0]["form"] == FORM


@on_sqlite
def test_a_file_with_errors_is_told_by_row_and_column(operator):
    table = "实施编码,实施编码体系\r\n=1+1,test".encode()

    answer = operator.send("POST", "/imports", data={"file": (io.BytesIO(table), "a.csv")})

    assert (answer.status_code, answer.json["code"]) == (422, "import_refused")
    assert answer.json["errors"]["rows"][0]["row"] == 2
