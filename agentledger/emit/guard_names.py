"""Follow names through one file: which stand for a recorder's class, which for a recorder.

Belongs here: bindings by import, assignment and annotation, and the calls they lead to. Does not
belong here: files and what is allowed where (`guard.py`).
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_PACKAGE = "agentledger.emit"
_CLASSES = {"IntentRecorder", "EventWriter", "shared_writer"}
_EMITTING = {
    "IntentRecorder": {"record", "utterance"},
    "EventWriter": {"write", "submit"},
    "shared_writer": {"write", "submit"},
}
_MARK = "()"  # suffix of a dotted name: what a call of it returns
_MAX_HOPS = 20


@dataclass(slots=True)
class Bindings:
    """What the names of a file stand for, as dotted names."""

    names: dict[str, str] = field(default_factory=dict)
    """Any name or `.attribute` assigned anywhere in the file."""
    module_names: dict[str, str] = field(default_factory=dict)
    """Names other files can import from it; `*package` for star imports."""


def collect_bindings(tree: ast.Module, module: str, is_package: bool) -> Bindings:
    """Read imports, assignments and annotations of a file.

    Scopes are not told apart: a name bound to a recorder anywhere in the file counts everywhere in
    it, which errs on the side of a finding.
    """
    found = Bindings()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                found.names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            source = _import_source(node, module, is_package)
            for alias in node.names:
                if alias.name == "*":
                    found.names[f"*{source}"] = source
                else:
                    found.names[alias.asname or alias.name] = f"{source}.{alias.name}"
        else:
            _bind(node, found.names)
    found.module_names = dict(found.names)
    return found


def find_calls(
    tree: ast.Module, bindings: Bindings, exported: Mapping[str, str]
) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and text of calls that make a recorder or emit through one."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        dotted = _dotted(node.func)
        if dotted is None:
            continue
        full = _resolve(dotted, bindings.names, exported)
        if _is_class(full) or _is_emission(full):
            yield node.lineno, node.col_offset + 1, dotted.replace(_MARK, "(…)")


def _bind(node: ast.AST, names: dict[str, str]) -> None:
    """Note what an assignment, `with … as`, `:=` or an annotation binds."""
    pairs: list[tuple[ast.expr | str, ast.expr | None]] = []
    if isinstance(node, ast.Assign):
        pairs = [(target, node.value) for target in node.targets]
    elif isinstance(node, ast.AnnAssign):
        pairs = [(node.target, node.value)]
        _bind_annotation(_dotted(node.target), node.annotation, names)
    elif isinstance(node, ast.NamedExpr):
        pairs = [(node.target, node.value)]
    elif isinstance(node, ast.arg) and node.annotation is not None:
        _bind_annotation(node.arg, node.annotation, names)
    for target, value in pairs:
        left = _dotted(target) if isinstance(target, ast.expr) else target
        right = None if value is None else _dotted(value)
        if left and right and left != right:
            names[_key(left)] = right


def _bind_annotation(name: str | None, annotation: ast.expr, names: dict[str, str]) -> None:
    """`recorder: IntentRecorder | None` makes the name a recorder."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return
    for part in ast.walk(annotation):
        dotted = _dotted(part) if isinstance(part, ast.Name | ast.Attribute) else None
        if name and dotted and dotted.split(".")[-1] not in ("None", "Optional", "Annotated"):
            names.setdefault(_key(name), dotted + _MARK)


def _key(dotted: str) -> str:
    """`self.recorder` is known by its last part: any object may hold it in this file."""
    return dotted if "." not in dotted else f".{dotted.rsplit('.', 1)[1]}"


def _dotted(node: ast.expr) -> str | None:
    """`a.b` as text, `a.b()` as `a.b` + mark; getattr and import_module with constants too."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value)
        return None if base is None else f"{base}.{node.attr}"
    if isinstance(node, ast.Await | ast.NamedExpr):
        return _dotted(node.value)
    if not isinstance(node, ast.Call):
        return None
    function = _dotted(node.func)
    texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if function in ("importlib.import_module", "import_module") and len(texts) == 1:
        return texts[0]
    if function == "getattr" and len(node.args) >= 2 and texts:
        base = _dotted(node.args[0])
        return None if base is None else f"{base}.{texts[0]}"
    return None if function is None else function + _MARK


def _resolve(dotted: str, names: Mapping[str, str], exported: Mapping[str, str]) -> str:
    """Replace aliases until nothing changes."""
    seen = set()
    for _ in range(_MAX_HOPS):
        if dotted in seen or dotted.startswith(f"{_PACKAGE}."):
            break
        seen.add(dotted)
        step = _local_step(dotted, names) if len(seen) == 1 else _export_step(dotted, exported)
        # The first name is local to this file; what it leads to may be another file's.
        dotted = step or _export_step(dotted, exported) or _local_step(dotted, names) or dotted
    return dotted


def _local_step(dotted: str, names: Mapping[str, str]) -> str | None:
    head, separator, rest = dotted.partition(".")
    bare = head.removesuffix(_MARK)
    if bare in names:
        return names[bare] + head[len(bare) :] + separator + rest
    parts = dotted.split(".")
    for index in range(len(parts) - 1, 0, -1):
        attribute = parts[index].removesuffix(_MARK)
        if f".{attribute}" in names:
            tail = parts[index][len(attribute) :]
            return ".".join([names[f".{attribute}"] + tail, *parts[index + 1 :]])
    if not separator and any(name.startswith("*") for name in names) and bare in _CLASSES:
        stars = [name[1:] for name in names if name.startswith("*")]
        return f"{_PACKAGE}.{head}" if any(s.startswith(_PACKAGE) for s in stars) else None
    return None


def _export_step(dotted: str, exported: Mapping[str, str]) -> str | None:
    """Follow `app.orchestrator.recorder` into the file that binds it."""
    parts = dotted.split(".")
    for index in range(len(parts), 1, -1):
        prefix = ".".join(parts[:index])
        bare = prefix.removesuffix(_MARK)
        target = exported.get(bare)
        if target is None:
            continue
        module = bare.rsplit(".", 1)[0]
        # A name of that file is read with that file's bindings first.
        local = exported.get(f"{module}.{target.split('.')[0].removesuffix(_MARK)}")
        if local is not None and not target.startswith(f"{_PACKAGE}."):
            target = f"{module}.{target}"
        return ".".join([target + prefix[len(bare) :], *parts[index:]])
    return None


def _is_class(full: str) -> bool:
    return full.startswith(f"{_PACKAGE}.") and full.rsplit(".", 1)[1] in _CLASSES


def _is_emission(full: str) -> bool:
    base, _, method = full.rpartition(".")
    name = base.removesuffix(_MARK).rsplit(".", 1)[-1]
    return (
        full.startswith(f"{_PACKAGE}.")
        and base.endswith(_MARK)
        and method in _EMITTING.get(name, ())
    )


def _import_source(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    """The absolute module of `from .x import y`."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    keep = len(parts) - node.level + (1 if is_package else 0)
    return ".".join([*parts[: max(keep, 0)], *([node.module] if node.module else [])])
