"""Artifacts of a good page; a test names only what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from mobile_pages.artifact import (
    Artifact,
    Declaration,
    Evidence,
    Fetch,
    Hop,
    Level,
    Monitoring,
    Rendering,
    StaticPart,
    Tls,
    Trouble,
)
from mobile_pages.spec.base import Need
from mobile_pages.spec.engine import load_rules

PAGES = Path(__file__).parent / "pages"
BROWSER_RULES = frozenset(
    one.rule.id
    for one in load_rules().values()
    # Endless redirects are seen without a browser, all else that this rule asks in one.
    if one.rule.needs is Need.RENDERED or one.rule.id == "automatic-navigation"
)
"""Ids of the rules whose labelled pages have to be opened in a browser."""
GOOD_PAGE = PAGES / "viewport-width" / "pass-plain.html"
ORIGIN = "https://wsbs.example.gov.cn"
URL = f"{ORIGIN}/m/sbcx/index.html"
COLLECTED_AT = "2016-12-01T02:00:00+00:00"
HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-encoding": "gzip",
    "server": "nginx",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "content-security-policy": "frame-ancestors 'self'",
    "set-cookie": "sid=0a1b2c; Path=/; Secure; HttpOnly; SameSite=Lax",
}
VERIFY_FILES = {
    "wechat": ("MP_verify_k3Jx9QwErTyUiOp1.txt", "k3Jx9QwErTyUiOp1"),
    "alipay": ("a41c7d0e9b35f286.html", "a41c7d0e9b35f286"),
}


_KEYS = {
    "entry",
    "headers",
    "tls",
    "hops",
    "declaration",
    "links",
    "extras",
    "trouble",
    "monitoring",
    "evidence",
}


def a_declaration(**changes: Any) -> Declaration:
    base = Declaration(
        name="社保查询",
        url=URL,
        body_name="广东省人力资源和社会保障厅",
        level=Level.PROVINCE,
        hotline="020-12345",
        description="面向全省参保职工和城乡居民的社会保险查询服务，可查询参保状态、缴费记录和养老待遇。",
        domains=("static.example.gov.cn",),
        health_url=f"{ORIGIN}/m/sbcx/health",
        icp_number="粤ICP备12345678号",
        verify_files=VERIFY_FILES,
    )
    return replace(base, **changes)


def a_tls(**changes: Any) -> Tls:
    base = Tls(
        version="TLSv1.3",
        issuer="样例根证书",
        subject="wsbs.example.gov.cn",
        not_before="2016-06-01T00:00:00+00:00",
        not_after="2017-06-01T00:00:00+00:00",
        trusted=True,
        host_matches=True,
        old_versions=(),
    )
    return replace(base, **changes)


def a_fetch(body: str = "", **changes: Any) -> Fetch:
    encoded = body.encode()
    base = Fetch(
        requested_url=URL,
        final_url=URL,
        status=200,
        headers=tuple(HEADERS.items()),
        body=body,
        head_bytes=encoded[:1024].decode("latin-1"),
        charset_source="header",
        body_bytes=len(encoded) // 4,
        decoded_bytes=len(encoded),
        ttfb_ms=180,
        total_ms=260,
        tls=a_tls(),
    )
    return replace(base, **changes)


def a_watch(**changes: Any) -> Monitoring:
    base = Monitoring(
        window_days=7,
        visits=700,
        failures=0,
        fewest_daily_visits=100,
        health_visits=700,
        days_since_full_check=3.0,
    )
    return replace(base, **changes)


def some_evidence(code: str, **changes: Any) -> Evidence:
    base = Evidence(code, passed=True, note="逐项看过，符合要求。", reviewed_at="2016-12-02T03:00:00+00:00")
    return replace(base, **changes)


def good_extras() -> dict[str, Fetch]:
    missing = "<!DOCTYPE html><html lang=zh-CN><title>页面不存在</title><p>您访问的页面不存在</p></html>"
    files = {
        f"verify:{kind}": a_fetch(text, requested_url=f"{ORIGIN}/{name}", final_url=f"{ORIGIN}/{name}")
        for kind, (name, text) in VERIFY_FILES.items()
    }
    return {
        **files,
        "error-page": a_fetch(missing, status=404),
        "health": a_fetch("ok"),
    }


def good_html() -> str:
    return GOOD_PAGE.read_text(encoding="utf-8")


def good_links() -> tuple[tuple[str, int], ...]:
    names = ("canbao", "jiaofei", "daiyu", "kefu", "yinsi")
    return tuple((f"{ORIGIN}/m/sbcx/{name}.html", 200) for name in names)


def an_artifact(
    html: str | None = None,
    *,
    declaration: Declaration | None = None,
    entry: Fetch | None = None,
    links: tuple[tuple[str, int], ...] | None = None,
    extras: Mapping[str, Fetch] | None = None,
    renderings: tuple[Rendering, ...] = (),
    rendered_trouble: Trouble | None = None,
    monitoring: Monitoring | None = None,
    evidence: tuple[Evidence, ...] = (),
) -> Artifact:
    return Artifact(
        declaration=a_declaration() if declaration is None else declaration,
        collected_at=COLLECTED_AT,
        static=StaticPart(
            entry=a_fetch(good_html() if html is None else html) if entry is None else entry,
            links=good_links() if links is None else links,
            extras=good_extras() if extras is None else extras,
        ),
        renderings=renderings,
        rendered_trouble=rendered_trouble,
        monitoring=monitoring,
        evidence=evidence,
    )


def artifact_of(page: Path) -> Artifact:
    """Return the artifact of a labelled page; the YAML of the same stem says what differs besides it."""
    changes = sidecar_of(page)
    entry = _changed_fetch(a_fetch(page.read_text(encoding="utf-8")), changes)
    extras = good_extras()
    for key, extra in changes.get("extras", {}).items():
        if extra is None:
            del extras[key]
        else:
            extras[key] = _changed_fetch(extras.get(key, a_fetch()), extra)
    links = changes.get("links")
    return an_artifact(
        declaration=_changed_declaration(changes.get("declaration", {})),
        entry=entry,
        links=None if links is None else tuple((one["url"], one["status"]) for one in links),
        extras=extras,
        monitoring=a_watch(**changes["monitoring"]) if "monitoring" in changes else None,
        evidence=evidence_in(changes),
    )


def sidecar_of(page: Path) -> dict[str, Any]:
    """Return what the YAML beside a labelled page says, empty when there is none."""
    sidecar = page.with_suffix(".yaml")
    changes: dict[str, Any] = yaml.safe_load(sidecar.read_text(encoding="utf-8")) if sidecar.exists() else {}
    unknown = set(changes) - _KEYS
    assert not unknown, f"{sidecar.name}: unknown keys {sorted(unknown)}"
    return changes


def evidence_in(changes: Mapping[str, Any]) -> tuple[Evidence, ...]:
    return tuple(some_evidence(code, **fields) for code, fields in changes.get("evidence", {}).items())


def _changed_fetch(fetch: Fetch, changes: Mapping[str, Any]) -> Fetch:
    fields = dict(changes.get("entry", {}))
    if "headers" in changes:
        merged = dict(fetch.headers) | changes["headers"]
        fields["headers"] = tuple((name, value) for name, value in merged.items() if value is not None)
    if "tls" in changes:
        fields["tls"] = None if changes["tls"] is None else _changed_tls(changes["tls"])
    if "hops" in changes:
        fields["hops"] = tuple(Hop(**hop) for hop in changes["hops"])
    if "trouble" in changes:
        fields["trouble"] = Trouble(**changes["trouble"])
    return replace(fetch, **fields)


def _changed_tls(changes: Mapping[str, Any]) -> Tls:
    old = changes.get("old_versions", ())
    return a_tls(**{**changes, "old_versions": None if old is None else tuple(old)})


def _changed_declaration(changes: Mapping[str, Any]) -> Declaration:
    fields = dict(changes)
    for name in ("channels", "domains"):
        if name in fields:
            fields[name] = tuple(fields[name])
    if "level" in fields:
        fields["level"] = Level(fields["level"])
    if "verify_files" in fields:
        fields["verify_files"] = {kind: tuple(pair) for kind, pair in fields["verify_files"].items()}
    return a_declaration(**fields)
