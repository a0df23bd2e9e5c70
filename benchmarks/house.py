"""What the packages hold: files, lines, files a folder, and imports between folders that run back up or in a circle.

    python benchmarks/house.py SRC [SRC ...]           # folders that hold meit/, such as src of two versions

Prints a table with a column for each SRC. Rooms are the folders right below meit/, in the order in which they may
import: a room from itself and from those before it. Imports inside functions count too.
"""

import ast
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

ORDER = ("ecg", "reports", "data", "model", "training", "drafting", "exports", "bulk", "benchmark", "station", "cli")


def modules(src: Path) -> dict[str, Path]:
    """Dotted name -> file."""
    files = sorted((src / "meit").rglob("*.py"))
    return {".".join(path.relative_to(src).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of meit that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names & known.keys()


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected modules, more than one each (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def folder(name: str, known: dict[str, Path], src: Path) -> str:
    return ".".join(known[name].parent.relative_to(src).parts)


def room(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ORDER else ""


def figures(src: Path) -> dict[str, str]:
    known = modules(src)
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in known.items()}
    own = {name: count for name, count in lines.items() if known[name].name not in ("__init__.py", "__main__.py")}
    graph = {name: imports(path, known) - {name} for name, path in known.items()}
    # what a package's __init__ gathers from its own modules is no circle
    inner = {name: {other for other in others if not name.startswith(f"{other}.")} for name, others in graph.items()}
    arrows = {
        (folder(name, known, src), folder(other, known, src)) for name, others in inner.items() for other in others
    }
    between = {(one, other) for one, other in arrows if one != other}
    rooms = Counter(
        (room(name), room(other))
        for name, others in inner.items()
        for other in others
        if room(name) and room(other) and ORDER.index(room(other)) > ORDER.index(room(name))
    )
    sizes = Counter(folder(name, known, src) for name in own)
    stems = Counter(path.stem for path in known.values() if path.stem not in ("__init__", "__main__"))
    most = sizes.most_common(3)
    table = {
        "Python files": f"{len(known)}",
        "lines": f"{sum(lines.values()):,}",
        "longest file": max(f"{count} ({name})" for name, count in own.items() if count == max(own.values())),
        "files over 300 lines": f"{sum(count > 300 for count in own.values())}",
        "files under 20 lines": f"{sum(count < 20 for count in own.values())}",
        "folders": f"{len(sizes)}",
        "fullest folders": ", ".join(f"{name.removeprefix('meit.')} {count}" for name, count in most),
        "module stems that stand twice": ", ".join(sorted(stem for stem, n in stems.items() if n > 1)) or "none",
        "folders that import another": f"{len(between)}",
        "imports up the order of rooms": "; ".join(f"{a} -> {b} {n}" for (a, b), n in sorted(rooms.items())) or "none",
        "circles of modules": "; ".join(" <-> ".join(group) for group in circles(inner)) or "none",
    }
    for name in ORDER:
        of_room = [count for module, count in lines.items() if room(module) == name]
        table[f"`{name}`: files, lines"] = f"{len(of_room)}, {sum(of_room):,}"
    return table


def main() -> None:
    if len(sys.argv) < 2 or "--help" in sys.argv:
        print(__doc__)
        return
    columns = [figures(Path(src)) for src in sys.argv[1:]]
    for one, other in pairwise(columns):
        assert one.keys() == other.keys()
    print("| | " + " | ".join(sys.argv[1:]) + " |\n|" + " --- |" * (len(columns) + 1))
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(column[name] for column in columns) + " |")


if __name__ == "__main__":
    main()
