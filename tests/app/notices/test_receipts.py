"""Receipts that come in the very moment in which the platform's answer is written down."""

from __future__ import annotations

import threading

import pytest

from app.core import db
from app.notices import delivering, receipts, service
from app.notices.service import Right
from channels.base import DeliveryReceipt, Outcome
from tests.app.notices.builders import BASE, a_form, a_resident, a_template, an_account, states, tell
from tests.builders import NOW
from tests.channels import platform_wechat
from tests.channels.server import a_platform

pytestmark = pytest.mark.parametrize("app", ["mariadb"], indirect=True)


def in_another_process(app, work):
    def run():
        with app.app_context():
            db.transaction(work)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_a_receipt_between_the_call_and_what_is_known_of_it_is_not_lost(app, context, monkeypatch):
    with a_platform(platform_wechat.Api()) as platform:
        account = db.transaction(lambda: an_account(base_url=platform.base_url))
        db.transaction(lambda: a_template(a_form(account, Right.TEMPLATE)))
        message_id = tell(db.transaction(lambda: a_resident(account)))
        step = db.transaction(lambda: delivering._next(message_id, BASE, NOW))
        result = delivering._call(step)
    known = receipts._delivery_of

    def just_before_the_answer(*asked):
        found = known(*asked)
        if found is None:
            in_another_process(app, lambda: delivering._note(step, result, NOW, lambda wait: wait))
        return found

    monkeypatch.setattr(receipts, "_delivery_of", just_before_the_answer)
    receipt = DeliveryReceipt(result.platform_id, Outcome.ACCEPTED, "")
    db.transaction(lambda: service.note_receipt(account, receipt, NOW))
    db.transaction(lambda: service.match_early(NOW, limit=9))

    assert states() == {"wechat.template": "delivered"}
