"""Import everything that a service can come to import, also what it imports only when it needs it.

Run by the Python of an image's environment: `python deploy/reach.py services.scorer.__main__`. Prints JSON: how many
modules of Segue these were, and the top-level packages that are loaded in the end. `--beyond NAME` is a module that the
image is not to have what it needs for: it is not followed, and it is an error when it can be imported after all.
"""

import argparse
import ast
import importlib
import importlib.util
import json
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

OURS = ("schemas", "models", "services")


def reach(roots: list[str], beyond: Collection[str] = ()) -> list[str]:
    """Names of all modules of ours that the roots import, directly or through others, wherever the statement stands."""
    found: dict[str, None] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in found or name in beyond or name.split(".")[0] not in OURS:
            continue
        source = source_of(name)
        if source is not None:
            found[name] = None
            waiting += imports(ast.parse(source.read_text(encoding="utf-8")))
    return list(found)


def source_of(name: str) -> Path | None:
    """The file of a module; None for a name that stands in one."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # its parent is a module, not a package
        return None
    return Path(spec.origin) if spec and spec.origin else None


def imports(tree: ast.AST) -> Iterator[str]:
    """Modules, and names that may be modules, which a tree imports; not what only the type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(node)


def importable(name: str) -> bool:
    """Whether all that a module needs is here. Raises where what is missing is a module of ours."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in OURS:
            raise
        return False
    return True


def main() -> None:
    """Import all of it. What is missing ends it with a traceback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("roots", nargs="+", metavar="MODULE")
    parser.add_argument("--beyond", action="append", default=[], metavar="NAME")
    options = parser.parse_args()
    names = reach(options.roots, options.beyond)
    for name in names:
        importlib.import_module(name)
    loaded = sorted({name.split(".")[0] for name in sys.modules})
    if stale := [name for name in options.beyond if importable(name)]:
        raise SystemExit(f"not beyond this environment: {', '.join(stale)}")
    sys.stdout.write(json.dumps({"modules": len(names), "loaded": loaded}) + "\n")


if __name__ == "__main__":
    main()
