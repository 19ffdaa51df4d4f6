"""Post to the hall as a platform does: a fixed deadline, no redirects, no proxies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import requests

ANSWER_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back in time."""

    status: int
    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """A signed request, ready to be sent as often as needed."""

    params: Mapping[str, str]
    body: bytes
    content_type: str


def post(url: str, parcel: Parcel, deadline_seconds: float) -> Answer | str:
    """Send the parcel; a string names why there was no answer: ``timeout`` or ``unreachable``."""
    return _exchange("POST", url, parcel, deadline_seconds)


def get(url: str, params: Mapping[str, str], deadline_seconds: float) -> Answer | str:
    """Ask with ``params`` in the query; failures as in ``post``."""
    return _exchange("GET", url, Parcel(params, b"", ""), deadline_seconds)


def _exchange(method: str, url: str, parcel: Parcel, deadline_seconds: float) -> Answer | str:
    headers = {"User-Agent": "Mozilla/4.0", "Accept": "*/*"}
    if parcel.content_type:
        headers["Content-Type"] = parcel.content_type
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.request(
                method,
                url,
                params=dict(parcel.params),
                data=parcel.body or None,
                headers=headers,
                timeout=deadline_seconds,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = response.raw.read(ANSWER_BYTES, decode_content=True)
                return Answer(response.status_code, body, response.headers.get("Content-Type", ""))
        except requests.Timeout:
            return "timeout"
        except (requests.RequestException, OSError, ValueError):
            return "unreachable"
