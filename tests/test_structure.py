"""The house: imports run one way, rooms are small, and a name means one thing."""

import ast
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

import meit

SOURCE = Path(meit.__file__).parent
FILES = sorted(path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts)
MOST_FILES, MOST_LINES, LEAST_LINES = 12, 350, 20
# a room may import from those that stand before it
ORDER = (
    *(
        "errors",
        "machine",
        "spawning",
        "tables",
        "atomic",
        "provenance",
        "patient_bootstrap",
        "proportions",
        "ecg",
        "reports",
        "data",
        "model",
    ),
    *("training", "drafting", "exports", "bulk", "benchmark", "station", "cli"),
)
SIBLINGS = {("drafting", "training"), ("station", "benchmark")}  # rooms side by side: neither may import the other
LARGE: dict[str, str] = {}  # files over MOST_LINES -> why
SMALL: dict[str, str] = {  # files under LEAST_LINES -> why
    "tables.py": "the one reader of tables, of which every room knows",
}
CROWDED: dict[str, str] = {}  # folders with more than MOST_FILES Python files -> why
TWICE: dict[str, str] = {}  # stems of two modules -> why
MOST_NAMES_TWICE = 15  # public top-level names that stand in two modules or more; it may only fall


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room(module: str) -> str | None:
    """ "meit.ecg.files" -> "ecg"; None of the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def imported(path: Path):
    """Rooms of meit that a file imports, those within functions too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "meit":
            yield from ([room(node.module)] if "." in node.module else [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            yield from (room(alias.name) for alias in node.names if alias.name.startswith("meit."))


def of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def test_every_room_has_its_place():
    rooms = {path.relative_to(SOURCE).parts[0].removesuffix(".py") for path in FILES} - {"__init__"}
    assert rooms == set(ORDER)


@pytest.mark.parametrize("path", FILES, ids=of)
def test_imports_run_one_way(path):
    here = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if here == "__init__":  # the public names, from wherever they are
        return
    for other in imported(path):
        if other in ORDER:
            assert ORDER.index(other) <= ORDER.index(here), f"{of(path)} imports meit.{other}, which stands after it"
            assert (here, other) not in SIBLINGS, f"{of(path)} imports meit.{other}, which stands beside it"


def test_no_circle_of_modules():
    """Among the imports at the top of modules: a circle there breaks whichever is imported first."""
    names = {".".join(["meit", *path.relative_to(SOURCE).with_suffix("").parts]): path for path in FILES}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    uses = defaultdict(set)
    for name, path in names.items():
        for node in tree(path).body:
            if isinstance(node, ast.ImportFrom) and node.module in names:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                uses[name] |= (inner & names.keys()) or {node.module}
    reached: dict[str, set[str]] = {}

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name not in reached:
            reached[name] = uses[name]
            for other in uses[name]:
                walk(other, (*above, name))

    for name in names:
        walk(name, ())


def test_no_two_modules_of_one_name():
    stems = Counter(path.stem for path in FILES if path.stem not in ("__init__", "__main__"))
    assert {stem for stem, count in stems.items() if count > 1} == set(TWICE)


def test_rooms_are_not_crowded():
    folders = Counter(path.parent for path in FILES if path.name not in ("__init__.py", "__main__.py"))
    assert {of(folder) for folder, count in folders.items() if count > MOST_FILES} == set(CROWDED)


def test_files_have_one_purpose():
    lines = {of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: count for name, count in lines.items() if count > MOST_LINES}.keys() == LARGE.keys()
    named = {name: count for name, count in lines.items() if not name.endswith(("__init__.py", "__main__.py"))}
    assert {name: count for name, count in named.items() if count < LEAST_LINES}.keys() == SMALL.keys()


def public_names(path: Path):
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (target.id for target in targets if isinstance(target, ast.Name) and type(node) is not ast.For)


def test_a_name_means_one_thing():
    places = defaultdict(set)
    for path in FILES:
        for name in public_names(path):
            if not name.startswith("_") and name not in ("log", "router"):
                places[name].add(of(path))
    twice = {name: sorted(files) for name, files in places.items() if len(files) > 1}
    assert len(twice) <= MOST_NAMES_TWICE, twice
