"""Find code that emits intent events outside the one module that may.

Belongs here: the command (`agentledger emit guard PATH --module app.orchestrator`), usable as a
pre-commit hook, and the comparison with the allowed module. Does not belong here: following names
through a file (`guard_names.py`).

Static analysis sees imports, aliases, attributes, annotations and names that one file imports from
another. It does not see objects passed through untyped parameters, containers or computed names.
"""

import argparse
import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentledger.emit.guard_names import Bindings, collect_bindings, find_calls

_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "site-packages", "venv", "build", "dist"}

_NOT_CHECKED = "not checked, because this is no Python that can be parsed"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One call that does not belong where it is."""

    path: str
    line: int
    column: int  # counted from 1, as editors do
    call: str


@dataclass(frozen=True, slots=True)
class _Module:
    path: Path
    names: tuple[str, ...]  # dotted names under which it may be imported, the likeliest first
    tree: ast.Module


def scan(path: Path | str, allowed_module: str) -> list[Finding]:
    """Find constructions of recorders and emitted events outside `allowed_module`.

    Args:
        path: A file, or a folder that is searched.
        allowed_module: Dotted name of the orchestrator's module; of a package, all its modules.

    Returns:
        Findings in order. A file that is not Python is a finding too: nobody can vouch for it.
    """
    return scan_all([Path(path)], allowed_module)


def scan_all(paths: Sequence[Path], allowed_module: str) -> list[Finding]:
    """Scan several files or folders as one code base."""
    modules, findings = [], []
    for root in paths:
        for file in _python_files(root):
            try:
                tree = ast.parse(file.read_bytes(), filename=str(file))
            except (SyntaxError, ValueError, RecursionError) as error:
                line = getattr(error, "lineno", None) or 1
                call = f"{_NOT_CHECKED}: {getattr(error, 'msg', None) or 'it cannot be read'}"
                findings.append(Finding(str(file), line, 1, call))
            else:
                modules.append(_Module(file, _module_names(file, root), tree))
    exported: dict[str, str] = {}
    bindings: list[Bindings] = []
    for module in modules:
        found = collect_bindings(module.tree, module.names[0], module.path.name == "__init__.py")
        bindings.append(found)
        for name in module.names:
            exported.update({f"{name}.{key}": value for key, value in found.module_names.items()})
    for module, found in zip(modules, bindings, strict=True):
        if not _is_allowed(module.names, allowed_module):
            findings += [
                Finding(str(module.path), line, column, call)
                for line, column, call in find_calls(module.tree, found, exported)
            ]
    return sorted(set(findings))


def main(argv: Sequence[str] | None = None) -> int:
    """Print findings as `file:line:column: call`.

    Returns:
        0 nothing found, 1 something found, 2 wrong usage.
    """
    parser = argparse.ArgumentParser(
        prog="agentledger emit guard",
        description="Find calls that emit intent events outside the orchestrator.",
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--module", required=True, help="dotted name of the orchestrator's module")
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    missing = [path for path in options.paths if not path.exists()]
    if missing:
        sys.stderr.write(f"{missing[0]} does not exist. Name a file or a folder of your code.\n")
        return 2
    try:
        findings = scan_all(options.paths, options.module)
    except OSError as error:
        sys.stderr.write(f"{error.filename} cannot be read. Mend its permissions.\n")
        return 2
    for found in findings:
        advice = (
            "mend the file or leave it out of the paths"
            if found.call.startswith(_NOT_CHECKED)
            else f"only {options.module} may emit intent events; fill its trace instead"
        )
        sys.stdout.write(f"{found.path}:{found.line}:{found.column}: {found.call}: {advice}\n")
    return 1 if findings else 0


def _python_files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for child in sorted(root.iterdir()):
        if child.is_dir() and not child.is_symlink():
            if child.name not in _SKIPPED_FOLDERS and not child.name.startswith("."):
                yield from _python_files(child)
        elif child.suffix in (".py", ".pyw", ".pyi") and child.is_file():
            yield child


def _module_names(file: Path, root: Path) -> tuple[str, ...]:
    """Names under which a file may be imported: from its package's top, and from the root."""
    file = file.resolve()
    top = file.parent
    while (top / "__init__.py").exists() and top.parent != top:
        top = top.parent
    bases = [top]
    for base in (root.resolve(), root.resolve() / "src", Path.cwd(), Path.cwd() / "src"):
        if file.is_relative_to(base) and base not in bases and base != file:
            bases.append(base)
    names = []
    for base in bases:
        parts = list(file.relative_to(base).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        names.append(".".join(parts))
    return tuple(name for name in dict.fromkeys(names) if name) or (file.stem,)


def _is_allowed(names: Sequence[str], allowed_module: str) -> bool:
    permitted = (allowed_module, "agentledger.emit")
    return any(
        name == module or name.startswith(f"{module}.") for name in names for module in permitted
    )


if __name__ == "__main__":
    raise SystemExit(main())
