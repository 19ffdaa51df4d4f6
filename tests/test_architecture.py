"""What import-linter cannot say without a list: private stays private, every job is wired."""

import ast
from pathlib import Path

import grimp
import pytest

from app import capabilities, collect_jobs

GRAPH = grimp.build_graph("app", "channels", "mobile_pages", "config")
CAPABILITIES = sorted(path.parent.name for path in Path("app").glob("*/wiring.py"))
CHANNELS = sorted(path.parent.name for path in Path("channels").glob("*/__init__.py"))
PUBLIC = {"service", "wiring"}


def family(package):
    return {package} | GRAPH.find_descendants(package)


@pytest.mark.parametrize("name", CAPABILITIES)
def test_others_use_only_its_service(name):
    inside = family(f"app.{name}")

    intruders = {
        (importer, module)
        for module in inside
        if module.split(".")[2:3] and module.split(".")[2] not in PUBLIC
        for importer in GRAPH.find_modules_that_directly_import(module) - inside
    }

    assert intruders == set()


@pytest.mark.parametrize("name", CHANNELS)
def test_an_adapter_knows_the_contract_and_no_other_adapter(name):
    inside = family(f"channels.{name}")
    # A second kind of account on one platform is named after the first and speaks its protocol: ADR 0018.
    foreign = [other for other in CHANNELS if other != name and not name.startswith(f"{other}_")]
    others = {module for other in foreign for module in family(f"channels.{other}")}

    known = {found for module in inside for found in GRAPH.find_modules_directly_imported_by(module)}

    assert known & (others | {"channels.registry"}) == set()
    assert not any(module.startswith("app") for module in known)


def test_every_job_function_is_wired():
    wired = {job.run.__name__ for job in collect_jobs(capabilities()).values()}
    written = {
        node.name
        for path in Path("app").glob("*/jobs.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }

    assert written <= wired


def test_every_capability_is_listed_in_the_layers():
    contracts = Path("pyproject.toml").read_text(encoding="utf-8")

    assert [name for name in CAPABILITIES if f'"({name})"' not in contracts] == []
    assert [name for name in CAPABILITIES if f'"app.{name}"' not in contracts] == []


def our_imports_inside_functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    for function in functions:
        for node in ast.walk(function):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            yield from (
                name for name in names if name.split(".")[0] in {"app", "channels", "mobile_pages", "config"}
            )


def test_our_own_code_is_imported_at_the_top_only():
    offenders = {
        str(path): found
        for folder in ("app", "channels", "mobile_pages", "config", "sandbox")
        for path in Path(folder).rglob("*.py")
        if (found := list(our_imports_inside_functions(path)))
    }

    assert offenders == {}
