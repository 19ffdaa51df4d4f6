"""transfer-economy: text travels compressed and no picture is needlessly large."""

from __future__ import annotations

from collections.abc import Iterator

from mobile_pages.artifact import Artifact
from mobile_pages.spec.base import Finding, Need, Outcome, Profile, Rule
from mobile_pages.spec.dom import addresses, found, shorten
from mobile_pages.spec.outcomes import decided

# One packet on the wire; below it compression saves nothing.
_SMALL_BYTES = 1_400
_LARGEST_IMAGE_BYTES = 200 * 1024
_ENCODINGS = frozenset({"gzip", "br", "zstd", "deflate"})
_IMAGE_ADVICE = "把图片缩到手机上显示的大小,存成 WebP 或压缩过的 JPG,单张不超过 200 KB。"


def judge(artifact: Artifact, profile: Profile) -> Outcome:
    findings = (*_page(artifact), *_inline_images(artifact), *_images(artifact))
    entry = artifact.static.entry
    unseen = "" if artifact.renderings else "没有用浏览器打开,图片大小没有量"
    return decided(
        findings, measured=f"页面 {entry.body_bytes} 字节(解压后 {entry.decoded_bytes})", note=unseen
    )


def _page(artifact: Artifact) -> Iterator[Finding]:
    entry = artifact.static.entry
    coding = (entry.header("content-encoding") or "").strip().lower()
    if entry.decoded_bytes > _SMALL_BYTES and coding not in _ENCODINGS:
        yield Finding(
            "入口页",
            "请在服务器上打开 gzip 压缩,网页体积可减少六成以上,省群众的流量。",
            measured=f"{entry.decoded_bytes} 字节未压缩",
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


RULE = Rule(
    id="transfer-economy",
    code="MAS-PRF-06",
    needs=Need.STATIC,
    judge=judge,
    fix="# nginx\ngzip on;\ngzip_types text/css application/javascript application/json;\n"
    "location /static/ { expires 30d; }",
)
