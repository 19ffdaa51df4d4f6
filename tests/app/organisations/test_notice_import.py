"""The notice's tables arrive whole, once, and as they stand."""

from dataclasses import fields, replace

import pytest
import yaml
from sqlalchemy import select

from app.core import audit, db
from app.organisations import service
from app.organisations.models import Body, BodyAlias, Region, ScheduleBatch, ScheduleMember, Target
from config import notice

ANNEXES = yaml.safe_load((notice.FOLDER / "annexes.yaml").read_text())
NOTICE = notice.load()


def nobody(_done, _total):
    pass


def seed_names():
    for annex in range(2, 7):
        table = ANNEXES[f"annex{annex}"]
        for holder in (table, table.get("national", {}), table.get("provincial", {})):
            for batch in holder.get("batches", ()):
                yield from ((annex, batch["label"], member["name"]) for member in batch["members"])


def test_every_name_of_the_annexes_is_one_body(app, given):
    given(service.import_notice, NOTICE, nobody)

    with app.app_context():
        found = [(annex, service.find_body(name).id) for annex, _label, name in seed_names()]
        numbered = [batch for batch in service.schedule() if batch.part != "cities"]
        listed = [(batch.annex, body_id) for batch in numbered for body_id in batch.members]

    assert len(found) == 113
    assert sorted(found) == sorted(listed)


def test_all_bodies_places_and_figures_arrive(app, given):
    given(service.import_notice, NOTICE, nobody)

    with app.app_context():
        provincial = {body.name for body in service.bodies(service.RegionLevel.PROVINCE)}
        assert provincial == set(ANNEXES["cross"]["all_bodies"])
        assert len(provincial) == ANNEXES["cross"]["all_bodies_count"]
        assert len(service.regions()) == 1 + 21 + 122 + 3
        assert len(service.targets()) == 50


def test_stated_and_listed_counts_stay_as_the_notice_has_them(app, given):
    given(service.import_notice, NOTICE, nobody)

    with app.app_context():
        odd = [
            (batch.annex, batch.batch, batch.stated_count, batch.listed_count)
            for batch in service.schedule()
            if batch.stated_count not in (None, batch.listed_count)
        ]

    assert odd == [(2, 2, 13, 11), (2, 3, 10, 11), (5, 1, 3, 4), (6, 4, 3, 4)]


def test_a_second_import_changes_nothing_and_says_nothing(app, given):
    given(service.import_notice, NOTICE, nobody)

    changes = given(service.import_notice, NOTICE, nobody)

    assert set(changes.values()) == {0}
    with app.app_context():
        assert len(audit.history("notice", 0)) == 1


def test_a_changed_file_updates_and_keeps_the_keys(app, given):
    given(service.import_notice, NOTICE, nobody)
    with app.app_context():
        before = service.find_body("广州")
    first = replace(NOTICE.batches[1], members=NOTICE.batches[1].members[1:], stated_count=21)
    changed = replace(NOTICE, batches=(NOTICE.batches[0], first, *NOTICE.batches[2:]))

    given(service.import_notice, changed, nobody)

    with app.app_context():
        assert service.find_body("广州市") == before
        assert [(one.stated_count, len(one.members)) for one in service.schedule(2)][0] == (21, 19)


def test_progress_ends_at_its_total(app, given):
    seen = []

    given(service.import_notice, NOTICE, lambda done, total: seen.append((done, total)))

    assert seen[-1][0] == seen[-1][1] > 1000


@pytest.mark.parametrize("model", [Region, Body, BodyAlias, ScheduleBatch, ScheduleMember, Target])
def test_every_row_has_a_source(app, given, model):
    given(service.import_notice, NOTICE, nobody)

    with app.app_context():
        sources = list(db.session().scalars(select(model.source)))

    assert sources
    assert all(source.strip() for source in sources)


def test_a_name_that_two_bodies_answer_to_is_refused(tmp_path):
    copy_of_tables(tmp_path, "regions.yaml", "name: 荔湾区", "name: 越秀区")

    with pytest.raises(ValueError, match="越秀区 stands for"):
        notice.load(tmp_path)


def test_a_member_that_nobody_knows_is_refused(tmp_path):
    copy_of_tables(tmp_path, "annexes.yaml", "name: 省公安厅\n        items", "name: 省公安处\n        items")

    with pytest.raises(ValueError, match="省公安处, which no body answers to"):
        notice.load(tmp_path)


def test_a_body_that_no_annex_names_is_refused(tmp_path):
    copy_of_tables(tmp_path, "annexes.yaml", "name: 残联", "name: 科技厅")

    with pytest.raises(ValueError, match="no annex names 残联"):
        notice.load(tmp_path)


def copy_of_tables(folder, changed, old, new):
    for name in ("annexes.yaml", "regions.yaml", "targets.yaml"):
        text = (notice.FOLDER / name).read_text()
        if name == changed:
            assert old in text
            text = text.replace(old, new)
        (folder / name).write_text(text)


def test_the_loader_fills_every_source():
    rows = [*NOTICE.regions, *NOTICE.bodies, *NOTICE.batches, *NOTICE.targets]

    assert all("source" in {field.name for field in fields(row)} and row.source.strip() for row in rows)
