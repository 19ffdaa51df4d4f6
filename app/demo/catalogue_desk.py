"""The demo's desk of items: a version in review, one that came back, one still being written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from app.catalogue import service as catalogue
from app.catalogue.service import Content, Question, VersionEvent
from app.core.clock import day_of
from app.demo.catalogue import ACTOR
from config.items import SampleItem

_IN_REVIEW = VersionEvent.SUBMIT
_RETURNED = VersionEvent.RETURN
_WAYS: tuple[tuple[VersionEvent, ...], ...] = ((_IN_REVIEW,), (_IN_REVIEW, _RETURNED), ())
_REASON = "材料名称和基本目录的说法不一致，请统一后再送审。"
_LATER = timedelta(days=30)


def show_desk(samples: Sequence[SampleItem], now: datetime) -> int:
    """Draft a second version of the first three samples and take it so far; return how many were new."""
    shown = 0
    for sample, way in zip(samples, _WAYS, strict=False):
        directory_id = catalogue.find_directory(catalogue.OUR_SCHEME, sample.code)
        places = catalogue.places_of(directory_id, limit=1) if directory_id is not None else []
        if not places or len(catalogue.versions_of(places[0].id)) > 1:
            continue
        item = catalogue.item(places[0].id)
        version_id = catalogue.draft_version(
            item.id,
            _mended(item.content),
            item.form,
            effective_on=day_of(now + _LATER),
            actor=ACTOR,
            now=now,
        )
        for event in way:
            reason = _REASON if event is _RETURNED else ""
            catalogue.move_version(version_id, event, actor=ACTOR, now=now, reason=reason)
        shown += 1
    return shown


def _mended(content: Content) -> Content:
    """Return a content that differs in values, in members of lists and in their order."""
    materials = tuple(
        replace(one, source="市（县、区）政务服务中心现场拍摄或申请人自备") if place == 0 else one
        for place, one in enumerate(content.materials)
    )
    return replace(
        content,
        summary=f"{content.summary}，可以委托他人代办",
        conditions=(*content.conditions, "委托他人代办的，有委托书"),
        materials=materials,
        synonyms=(*content.synonyms[1:], *content.synonyms[:1]),
        questions=(
            *content.questions,
            Question("可以请别人代办吗", "可以。带委托书和双方的身份证件，网上申请时选“代他人办理”。"),
        ),
    )
