"""The six fixed paths: tried only with leave, on the department's own host, and little of them is kept."""

from __future__ import annotations

from mobile_pages.artifact import Artifact, Declaration, StaticPart
from mobile_pages.gather.fixed_paths import FIXED_PATHS
from mobile_pages.gather.static import gather_static
from tests.mobile_pages import hostile
from tests.mobile_pages.hostile import a_guard_for, answer, by_path, serving

KEYS = {f"path:{path}" for path in FIXED_PATHS}


def gathered(*, allowed: bool, **answers: hostile.Behaviour) -> tuple[StaticPart, list[str]]:
    routes = {"/app/": answer(b"<!doctype html><meta charset=utf-8><title>ok</title>")}
    routes |= {path.replace("_", "/"): behave for path, behave in answers.items()}
    with serving(by_path(routes)) as server:
        declaration = Declaration("社保查询", server.url("/app/"), "某单位", may_probe_paths=allowed)
        part = gather_static(declaration, a_guard_for(server))
        return part, [head.split()[1].decode() for head in server.heads]


def test_without_leave_no_fixed_path_is_tried() -> None:
    part, asked = gathered(allowed=False)

    assert KEYS.isdisjoint(part.extras)
    assert set(FIXED_PATHS).isdisjoint(asked)


def test_with_leave_each_fixed_path_is_tried_once_at_the_root() -> None:
    part, asked = gathered(allowed=True)

    assert {key for key in part.extras if key.startswith("path:")} == KEYS
    assert {path: asked.count(path) for path in FIXED_PATHS} == dict.fromkeys(FIXED_PATHS, 1)
    assert {part.extras[key].status for key in KEYS} == {404}


def test_what_must_not_be_readable_is_not_kept() -> None:
    secrets = answer(b"DB_PASSWORD=hunter2hunter2\nPHONE=13900000000\n", content_type="text/plain")

    part, _ = gathered(allowed=True, **{"_.env": secrets})

    kept = Artifact(Declaration("x", "y", "z"), "2026-01-01T00:00:00+00:00", part).to_json()
    assert part.extras["path:/.env"].body == "DB_PASSWORD=***\nPHONE=***\n"
    assert "hunter2" not in kept
    assert "13900000000" not in kept


def test_an_archive_is_known_by_its_kind_and_size() -> None:
    archive = answer(b"PK\x03\x04" + b"\0" * 5000, content_type="application/zip")

    part, _ = gathered(allowed=True, **{"_backup.zip": archive})

    found = part.extras["path:/backup.zip"]
    assert (found.status, found.body, found.decoded_bytes) == (200, "", 5004)
    assert found.header("content-type") == "application/zip"
