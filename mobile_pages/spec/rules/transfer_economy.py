"""transfer-economy: text travels compressed, what never changes is kept, no picture is needlessly large."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import addresses, found, shorten
from mobile_pages.spec.hosts import host_of, is_registered, split
from mobile_pages.spec.outcomes import decided
from mobile_pages.spec.rendered import PLAIN, finding
from mobile_pages.spec.rendered import measured as measured_opening

# One packet on the wire; below it compression saves nothing.
_SMALL_BYTES = 1_400
_LARGEST_IMAGE_BYTES = 200 * 1024
_TEXT = re.compile(r"text/(?!html)|(?:application|image)/(?:[\w.+-]*(?:json|xml|javascript))$")
_LONG_SECONDS = 30 * 24 * 3600
# A name that changes whenever the content does.
_HASHED = re.compile(r"[.\-_](?=[0-9a-f]*\d)[0-9a-f]{8,}\.\w{2,5}$", re.I)
_TEXT_ADVICE = "请在服务器上对脚本、样式和接口数据也打开 gzip 压缩。"
_CACHE_ADVICE = "文件名带版本号的脚本、样式和图片,可以让手机保存 30 天以上:Cache-Control: max-age=2592000。"
_ENCODINGS = frozenset({"gzip", "br", "zstd", "deflate"})
_IMAGE_ADVICE = "把图片缩到手机上显示的大小，存成 WebP 或压缩过的 JPG，单张不超过 200 KB。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    findings = (
        *_page(artifact),
        *_parts(artifact),
        *_inline_images(artifact),
        *_images(artifact),
        *_oversized(artifact),
    )
    entry = artifact.static.entry
    unseen = "" if artifact.renderings else "没有用浏览器打开，图片大小没有量"
    return decided(
        findings, measured=f"页面 {entry.body_bytes} 字节(解压后 {entry.decoded_bytes})", note=unseen
    )


def _page(artifact: Artifact) -> Iterator[Finding]:
    entry = artifact.static.entry
    coding = (entry.header("content-encoding") or "").strip().lower()
    if entry.decoded_bytes > _SMALL_BYTES and coding not in _ENCODINGS:
        yield Finding(
            "入口页",
            "请在服务器上打开 gzip 压缩，网页体积可减少六成以上，省群众的流量。",
            measured=f"{entry.decoded_bytes} 字节未压缩",
        )


def _parts(artifact: Artifact) -> Iterator[Finding]:
    """Find parts from registered hosts that came uncompressed or are fetched again on every visit."""
    parts = {
        request.url: request
        for rendering in artifact.renderings
        for request in rendering.requests
        if 200 <= request.status < 300 and is_registered(host_of(request.url), artifact)
    }
    plain = [
        one
        for one in parts.values()
        if _TEXT.match(one.media_type) and not one.encoding and (one.decoded_bytes or 0) > _SMALL_BYTES
    ]
    brief = [
        one
        for one in parts.values()
        if one.decoded_bytes is not None
        and _HASHED.search(split(one.url).path)
        and (one.cache_seconds or 0) < _LONG_SECONDS
    ]
    if plain:
        largest = max(plain, key=lambda one: one.decoded_bytes or 0)
        measured = f"最大 {(largest.decoded_bytes or 0) // 1024} KB 未压缩"
        yield Finding(
            "脚本和样式", _TEXT_ADVICE, snippet=shorten(largest.url), measured=measured, count=len(plain)
        )
    if brief:
        seconds = brief[0].cache_seconds
        kept = "没有写缓存时间" if seconds is None else f"只缓存 {seconds} 秒"
        yield Finding(
            "带版本号的文件", _CACHE_ADVICE, snippet=shorten(brief[0].url), measured=kept, count=len(brief)
        )


def _inline_images(artifact: Artifact) -> tuple[Finding, ...]:
    # Four characters of base64 carry three bytes.
    large = [
        one.node
        for one in addresses(artifact)
        if one.raw.lower().startswith("data:image/") and len(one.raw) * 3 // 4 > _LARGEST_IMAGE_BYTES
    ]
    return found(large, where="写在网页里的图片", advice=_IMAGE_ADVICE)


def _images(artifact: Artifact) -> Iterator[Finding]:
    sizes: dict[str, int] = {}
    for rendering in artifact.renderings:
        for request in rendering.requests:
            if request.kind == "image":
                sizes[request.url] = max(request.bytes, sizes.get(request.url, 0))
    large = sorted((size, url) for url, size in sizes.items() if size > _LARGEST_IMAGE_BYTES)
    if large:
        size, url = large[-1]
        measured = f"最大 {size // 1024} KB"
        yield Finding("图片", _IMAGE_ADVICE, snippet=shorten(url), measured=measured, count=len(large))


def _oversized(artifact: Artifact) -> Iterator[Finding]:
    rendering = measured_opening(artifact, PLAIN)
    if rendering is None:
        return
    for one in rendering.metrics.get("oversized", ()):
        natural, shown = ("×".join(f"{side:g}" for side in one[key]) for key in ("natural", "shown"))
        figure = f"图片 {natural},只显示 {shown}"
        yield finding(one, rendering, where="图片", advice=_IMAGE_ADVICE, measured=figure)


RULE = Rule(
    id="transfer-economy",
    code="MAS-PRF-06",
    needs=Need.STATIC,
    judge=judge,
    fix="# nginx\ngzip on;\ngzip_types text/css application/javascript application/json;\n"
    "location /static/ { expires 30d; }",
)
