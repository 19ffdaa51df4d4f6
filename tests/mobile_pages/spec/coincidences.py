"""Faults that cannot be made without another clause failing too: by page, the other rules and why."""

from __future__ import annotations

from collections.abc import Mapping

COINCIDENCES: Mapping[str, Mapping[str, str]] = {
    "app-schemes/fail-store": {
        "commercial-links": "a shop for apps is also a commercial host",
    },
    "automatic-navigation/fail-moves-on": {
        "history-entries": "moving on by itself adds an entry that the back key returns to",
    },
    "blank-page/fail-blank-in-wechat": {
        "channel-parity": "a page blank in one channel only has neither button nor form there",
    },
    "blank-page/fail-nothing": {
        "visible-time": "what never shows anything has no time of first text",
        "footer-contact": "an empty page has no footer",
    },
    "blank-page/fail-only-in-alipay": {
        "channel-parity": "a page that serves one channel only differs in the others",
    },
    "certificate/fail-self-signed": {
        "entry-response": "nothing is read over a connection that is not trusted",
    },
    "desktop-page/fail-fixed-container": {
        "horizontal-overflow": "a container wider than the phone has to be moved sideways",
    },
    "desktop-page/fail-no-viewport": {
        "viewport-width": "both clauses ask for the viewport",
    },
    "dialog-closing/fail-forty-three": {
        "target-size": "a button that closes a dialog is a main control, both ask for 44 px",
    },
    "entry-response/fail-gbk-declared-utf8": {
        "service-title": "an unreadable title is not the registered name",
    },
    "entry-response/fail-redirects-for-ever": {
        "automatic-navigation": "both clauses ask that the way in has an end",
    },
    "url-personal-data/fail-id-in-link": {
        "masking": "the masking clause covers addresses in the page too",
    },
    "url-personal-data/fail-mobile-behind-hash": {
        "masking": "the masking clause covers addresses in the page too",
    },
    "visible-time/fail-blocking-script": {
        "largest-paint": "the largest paint does not come before the first",
    },
}


def rules_failed_by(rule_id: str, page: str) -> set[str]:
    """Return the ids of the rules that a labelled page must fail: its own and what coincides with it."""
    if not page.startswith("fail"):
        return set()
    return {rule_id, *COINCIDENCES.get(f"{rule_id}/{page}", {})}
