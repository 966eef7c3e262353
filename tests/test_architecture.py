"""The shape of the project: who may import whom, who puts the parts together, what a start may load."""

import ast
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LEFT_TO_RIGHT = ("queries", "linkeddata", "crowd", "harvest", "identify")
"""A package imports itself and those to its left. ``queries`` is data and imports nothing."""
FACES = ("identify.app", "identify.cli")
"""The module and the package that put everything together; nobody imports them."""
PARTS = {
    "linkeddata.settings": {"Settings", "load_settings"},
    "linkeddata.client": {"Client"},
    "linkeddata.store": {"Store"},
    "linkeddata.requestlog": {"RequestLog"},
}
BUILDS_ANYWAY = {
    ("harvest.standin.server", "Settings"): "it tells its user the settings under which it is reached",
    **{
        ("identify.following", part): "it is a process of its own, handed the settings of whoever started it"
        for part in ("Settings", "Client", "Store")
    },
}


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found = {}
    for package in LEFT_TO_RIGHT:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def names_in(node: ast.AST) -> Iterator[str]:
    """The dotted names that an import statement may mean: ``from a import b`` is a and a.b."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports here are absolute"
        assert node.module
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported(module: str) -> set[str]:
    """Every name that a module imports, wherever in it."""
    return {name for node in ast.walk(tree(module)) for name in names_in(node)}


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported_on_loading(module: str) -> set[str]:
    """What is imported while the module itself is imported: not in functions, not for types only."""
    found: set[str] = set()
    waiting: list[ast.AST] = [tree(module)]
    while waiting:
        node = waiting.pop()
        found.update(names_in(node))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not is_for_types(node):
            waiting.extend(ast.iter_child_nodes(node))
    return found


def ours(names: set[str]) -> set[str]:
    return names & modules().keys()


def fresh(code: str, cwd: Path) -> list[str]:
    """The words that ``code`` prints in a Python of its own, started elsewhere."""
    command = [sys.executable, "-W", "error", "-P", "-c", code]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_package_imports_only_itself_and_those_to_its_left(module: str) -> None:
    package = module.split(".")[0]
    allowed = LEFT_TO_RIGHT[: LEFT_TO_RIGHT.index(package) + 1]
    wrong = {
        name for name in imported(module) if name.split(".")[0] in LEFT_TO_RIGHT and name.split(".")[0] not in allowed
    }
    assert not wrong


def test_no_module_imports_itself_in_a_circle() -> None:
    edges = {module: ours(imported_on_loading(module)) - {module} for module in modules()}
    left = dict(edges)
    while free := [module for module, needs in left.items() if not needs & left.keys()]:
        for module in free:
            del left[module]
    assert not left, f"these wait for each other: {sorted(left)}"


def face_of(module: str) -> str:
    """The face that a module belongs to, or nothing."""
    return next((face for face in FACES if f"{module}.".startswith(f"{face}.")), "")


@pytest.mark.parametrize("module", sorted(modules()))
def test_nobody_imports_the_two_faces(module: str) -> None:
    allowed = set(FACES) if face_of(module) == "identify.cli" else {module}  # `deboodt serve` starts the app
    assert not {face_of(name) for name in imported(module)} - allowed - {""}


def built_in(module: str) -> set[str]:
    """Which of the parts this module builds."""
    names = {}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module in PARTS and node.module != module:
            names |= {
                alias.asname or alias.name: alias.name for alias in node.names if alias.name in PARTS[node.module]
            }
    calls = (n.func.id for n in ast.walk(tree(module)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name))
    return {names[call] for call in calls if call in names}


def test_only_the_two_faces_build_settings_client_and_store() -> None:
    built = {(module, part) for module in modules() if not face_of(module) for part in built_in(module)}
    assert built == set(BUILDS_ANYWAY)


def test_tensorflow_is_for_training_alone_and_never_loaded_with_a_module() -> None:
    learned = {m for m in modules() if {n.split(".")[0] for n in imported(m)} & {"tensorflow", "keras"}}
    assert learned == {"identify.learning.tensors"}
    for module in modules():
        assert not {n.split(".")[0] for n in imported_on_loading(module)} & {"tensorflow", "keras", "pandas"}, module


def test_each_package_has_at_most_one_router() -> None:
    for package in LEFT_TO_RIGHT:
        routers = [p.relative_to(ROOT) for p in (ROOT / package).rglob("api.py")]
        assert routers in ([], [Path(package) / "api.py"])


def test_no_module_is_called_after_nothing() -> None:
    assert not [
        m for m in modules() if m.split(".")[-1] in {"utils", "util", "core", "common", "helpers", "misc", "base"}
    ]


def test_every_module_says_what_it_is() -> None:
    assert [m for m in modules() if not ast.get_docstring(tree(m))] == []


def test_the_packages_on_disk_are_the_packages_that_are_installed() -> None:
    on_disk = {name for name, path in modules().items() if path.name == "__init__.py"}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == on_disk
    with_code = {".".join(path.relative_to(ROOT).parts[:-1]) for path in modules().values()}
    assert with_code == on_disk, "a folder with modules lacks its __init__.py"


def test_every_data_file_of_a_package_is_installed_with_it() -> None:
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]
    for package in LEFT_TO_RIGHT:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and path.suffix not in {".py", ".pyc"} and not path.name.startswith("."):
                name = path.relative_to(ROOT / package).as_posix()
                assert any(fnmatch(name, pattern) for pattern in patterns.get(package, [])), f"{package}/{name}"


@pytest.mark.parametrize("package", LEFT_TO_RIGHT)
def test_our_packages_are_not_another_distributions(package: str, tmp_path: Path) -> None:
    # Other distributions install modules called `identify` and `queries`, too.
    found = fresh(f"import {package}; print(*{package}.__path__, sep='\\n')", tmp_path)
    assert found == [str(ROOT / package)]
    assert list(importlib.import_module(package).__path__) == [str(ROOT / package)]


def test_importing_everything_loads_neither_tensorflow_nor_pandas(tmp_path: Path) -> None:
    imports = "\n".join(f"import {module}" for module in sorted(modules()))
    loaded = fresh(f"import sys\n{imports}\nprint(*sys.modules)", tmp_path)
    assert set(modules()) <= set(loaded)
    assert not {name.split(".")[0] for name in loaded} & {"tensorflow", "keras", "pandas", "torch"}


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import contextlib, io, sys\n"
        "from identify.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    sys.argv = ['deboodt', '--help']\n"
        "    main()\n"
        "print(*sys.modules)"
    )
    loaded = {name.split(".")[0] for name in fresh(code, tmp_path)}
    assert "click" in loaded
    heavy = {"tensorflow", "keras", "pandas", "numpy", "sqlalchemy", "alembic", "fastapi", "rdflib", "PIL", "requests"}
    assert not loaded & heavy


def test_serving_loads_only_what_it_needs(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from linkeddata.settings import Settings\n"
        "from linkeddata.store import Store\n"
        "Store(Settings().store).close()\n"  # the first start makes the store, which takes Alembic
        "before = {name for name in sys.modules if name.startswith(('alembic', 'mako', 'sqlalchemy'))}\n"
        "from identify.app import create_app\n"
        "create_app(Settings())\n"
        "print(*(sys.modules.keys() - before))"
    )
    loaded = set(fresh(code, tmp_path))
    assert {"identify.app", "fastapi", "numpy", "PIL"} <= loaded
    training = {"tensorflow", "keras", "ai_edge_litert", "openvino", "scipy", "sklearn", "pandas", "pyarrow"}
    others = {"alembic", "authlib", "joserfc", "rdflib", "pyshacl", "pywikibot", "fsspec", "msgspec", "pycurl"}
    assert not {name.split(".")[0] for name in loaded} & (training | others)
    assert not loaded & {
        "identify.steps",
        "identify.harvesting",
        "identify.learning",
        "harvest.dumps",
        "crowd.cms",
        "harvest.datasets.layouts",
    }
