"""Transactions: nothing lost, nothing half-done, retried as a whole."""

from __future__ import annotations

import threading

import pymysql
import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError, OperationalError

from app.core import db
from app.core.audit import AuditHead
from app.core.errors import Unavailable


def a_row(chain=1, number=0):
    db.writing().execute(insert(AuditHead).values(chain=chain, number=number, mac="0"))


def number_of(app, chain=1):
    with app.app_context():
        return db.session().scalar(select(AuditHead.number).where(AuditHead.chain == chain))


def test_parallel_read_modify_writes_lose_nothing(app, given):
    given(a_row)

    def add_one():
        row = db.writing().scalar(select(AuditHead).where(AuditHead.chain == 1).with_for_update())
        row.number += 1

    def add_ten():
        with app.app_context():
            for _ in range(10):
                db.transaction(add_one)

    threads = [threading.Thread(target=add_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert number_of(app) == 40


def test_an_error_undoes_the_whole_unit(app, given):
    def half():
        a_row()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        given(half)

    assert number_of(app) is None


def test_a_deadlock_repeats_the_whole_unit(app, tables):
    tries = []

    def unlucky_twice():
        tries.append(1)
        a_row()
        if len(tries) < 3:
            raise OperationalError("", {}, pymysql.err.OperationalError(1213, "Deadlock found"))

    with app.app_context():
        db.transaction(unlucky_twice)

    assert len(tries) == 3
    assert number_of(app) == 0


@pytest.mark.parametrize("code", [1040, 2003, 2006, 2013, 1290])
def test_a_database_that_is_away_is_said_to_be_unavailable(context, code):
    def away():
        raise OperationalError("", {}, pymysql.err.OperationalError(code, "away"))

    with pytest.raises(Unavailable):
        db.transaction(away)


def test_writing_outside_a_transaction_is_refused(context):
    db.session().add(AuditHead(chain=2, number=0, mac="0"))

    with pytest.raises(RuntimeError, match="outside"):
        db.session().flush()


def test_transactions_do_not_nest(context):
    with pytest.raises(RuntimeError, match="nest"):
        db.transaction(lambda: db.transaction(a_row))


def test_a_transaction_makes_earlier_reads_of_the_same_request_fresh(app, given):
    given(a_row)

    with app.app_context():
        before = db.session().get(AuditHead, 1)
        db.transaction(lambda: db.writing().execute(update(AuditHead).values(number=9)))
        after = db.session().get(AuditHead, 1)

    assert (before.number, after.number) == (0, 9)


def test_rare_characters_stay_different(app, given):
    given(lambda: db.writing().execute(insert(AuditHead).values(chain=1, number=1, mac="𠮷")))

    with app.app_context():
        assert db.session().scalar(select(AuditHead.number).where(AuditHead.mac == "𠮶")) is None
        assert db.session().scalar(select(AuditHead.number).where(AuditHead.mac == "𠮷")) == 1


def test_what_goes_wrong_in_the_database_does_not_tell_what_was_written(app, given):
    given(a_row)
    told = update(AuditHead).values(number=None, mac="测试联系人 020-12345")

    with pytest.raises(DBAPIError) as broken:
        given(lambda: db.writing().execute(told))

    assert "测试联系人" not in str(broken.value)
