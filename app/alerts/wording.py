"""What a message says: one alert in full, many as counts and the worst ten. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.alerts.domain import (
    SEVERITY_LABELS,
    TITLE_MAX,
    TOPIC_LABELS,
    WORST_SHOWN,
    Severity,
    Topic,
)
from app.core.clock import HALL_TIME


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a message: alerts of one topic and group, told as one.

    Attributes:
        count: how many alerts stand behind it.
        recovered_at: set when the outage and its end are told together.
    """

    topic: str
    severity: Severity
    title: str
    text: str
    link: str
    at: datetime
    body_id: int | None
    city_code: str | None
    count: int = 1
    recovered_at: datetime | None = None


def title_of(items: Sequence[Item]) -> str:
    """Return the headline, e.g. ``【紧急】网页故障 998 个、故障恢复 2 个``."""
    worst = severity_of(items)
    head = f"【{SEVERITY_LABELS[worst]}】"
    if len(items) == 1:
        only = items[0]
        over = "（已恢复）" if only.recovered_at else ""
        return _cut(f"{head}{only.title}{_times(only.count)}", TITLE_MAX - len(over)) + over
    counts = Counter(item.topic for item in items)
    parts = [f"{topic_label(topic)} {number:,} 个" for topic, number in _by_severity(items, counts)]
    return _cut(head + "、".join(parts), TITLE_MAX)


def content_of(items: Sequence[Item], body_names: Mapping[int, str]) -> dict[str, Any]:
    """Return the message as stored: a summary and at most ten lines, the worst first."""
    chosen = worst_first(items)[:WORST_SHOWN]
    return {
        "summary": _summary(items) if len(items) > 1 else "",
        "items": [
            {
                "topic": item.topic,
                "severity": item.severity.value,
                "title": item.title,
                "text": item.text,
                "link": item.link,
                "at": item.at.isoformat(),
                "body": body_names.get(item.body_id or 0, ""),
                "count": item.count,
                "recovered_at": item.recovered_at.isoformat() if item.recovered_at else None,
            }
            for item in chosen
        ],
        "more": len(items) - len(chosen),
    }


def worst_first(items: Sequence[Item]) -> list[Item]:
    """Order by severity, then what still lasts, then the oldest: it has been bad for longest."""
    return sorted(items, key=lambda one: (-one.severity.rank, one.recovered_at is not None, one.at))


def severity_of(items: Sequence[Item]) -> Severity:
    return max((item.severity for item in items), key=lambda one: one.rank)


def topic_label(topic: str) -> str:
    return TOPIC_LABELS[Topic(topic)] if topic in set(Topic) else topic


def plain_text(title: str, content: Mapping[str, Any], *, url: str, bytes_max: int) -> str:
    """Return the message as text for a chat, cut at a whole line to fit.

    Args:
        url: where the whole message is; always kept.
    """
    lines = [title]
    if content["summary"]:
        lines.append(content["summary"])
    for item in content["items"]:
        lines += item_lines(item, headline=len(content["items"]) > 1)
    if content["more"]:
        lines.append(f"另有 {content['more']:,} 条，请看全部。")
    end = f"\n{url}"
    room = bytes_max - len(end.encode())
    kept: list[str] = []
    for line in lines:
        if len("\n".join([*kept, line]).encode()) > room:
            break
        kept.append(line)
    return "\n".join(kept or [_fitting(title, room)]) + end


def item_lines(item: Mapping[str, Any], *, headline: bool) -> list[str]:
    """Return the lines that tell of one item; its title only where it is one of several."""
    at = local_moment(item["at"])
    body = f"{item['body']}：" if item["body"] else ""
    if headline:
        mark = "（已恢复）" if item["recovered_at"] else ""
        return [f"· {body}{item['title']}{_times(item['count'])}{mark} {at}"]
    lines = [line for line in (f"{body}{item['text']}".rstrip("："), f"时间：{at}") if line]
    if item["recovered_at"]:
        lines.append(f"恢复：{local_moment(item['recovered_at'])}")
    return lines


def local_moment(iso: str) -> str:
    return datetime.fromisoformat(iso).astimezone(HALL_TIME).strftime("%m-%d %H:%M")


def _summary(items: Sequence[Item]) -> str:
    cities = {item.city_code for item in items if item.city_code}
    bodies = {item.body_id for item in items if item.body_id is not None}
    counts = Counter(item.severity for item in items)
    parts = [f"{SEVERITY_LABELS[one]} {counts[one]:,} 条" for one in reversed(Severity) if counts[one]]
    places = [f"{len(cities)} 个地市"] if cities else []
    if bodies:
        places.append(f"{len(bodies)} 个单位")
    where = f"，涉及 {'、'.join(places)}" if places else ""
    return f"共 {len(items):,} 条：{'、'.join(parts)}{where}。"


def _by_severity(items: Sequence[Item], counts: Counter[str]) -> list[tuple[str, int]]:
    worst = {item.topic: item.severity.rank for item in sorted(items, key=lambda one: one.severity.rank)}
    return sorted(counts.items(), key=lambda pair: (-worst[pair[0]], -pair[1]))


def _times(count: int) -> str:
    return f"（{count} 次）" if count > 1 else ""


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _fitting(text: str, bytes_max: int) -> str:
    return text.encode()[: max(0, bytes_max)].decode(errors="ignore")
