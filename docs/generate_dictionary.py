"""Write docs/data-dictionary.md from the dbt manifest, so that it cannot drift from the models.

Run by `make docs-dictionary`; `--check` (in `make lint`) fails when the file is not up to date.
"""

import json
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
MANIFEST = REPOSITORY / "dbt_project" / "target" / "manifest.json"
DICTIONARY = REPOSITORY / "docs" / "data-dictionary.md"
LAYERS = ("marts", "intermediate", "staging", "raw")
HEADER = """\
# Data dictionary

Generated from the dbt YAML by `make docs-dictionary`; do not edit. **P** is the privacy class:
public may be shared, sensitive stays on this machine, private is not stored. *Published* relations
are in the snapshot that readers open.
"""


def main() -> int:
    """Write the file, or compare with it."""
    text = render(json.loads(MANIFEST.read_text(encoding="utf-8")))
    if "--check" not in sys.argv:
        DICTIONARY.write_text(text, encoding="utf-8")
        return 0
    if DICTIONARY.exists() and DICTIONARY.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write("docs/data-dictionary.md is not up to date. Type: make docs-dictionary\n")
    return 1


def render(manifest: dict[str, Any]) -> str:
    """Render every model and source table, marts first."""
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    nodes += list(manifest["sources"].values())
    parts = [HEADER]
    for layer in LAYERS:
        members = sorted((n for n in nodes if n["schema"] == layer), key=lambda n: n["name"])
        if members:
            parts.append(f"\n## {layer}\n")
            parts += [render_relation(node) for node in members]
    return "".join(parts)


def render_relation(node: dict[str, Any]) -> str:
    """Render one relation: description, grain, columns."""
    meta = node.get("config", {}).get("meta", {}) | node.get("meta", {})
    facts = []
    if meta.get("grain"):
        facts.append(f"Grain: `{', '.join(meta['grain'])}`.")
    if meta.get("publish"):
        facts.append("*Published.*")
    lines = [f"\n### {node['schema']}.{node['name']}\n\n{one_line(node['description'])}\n"]
    lines.append(("\n" + " ".join(facts) + "\n") if facts else "")
    lines.append("\n| column | type | P | description |\n|---|---|---|---|\n")
    for column in node["columns"].values():
        column_meta = column.get("config", {}).get("meta", {}) | column.get("meta", {})
        lines.append(
            f"| {column['name']} | {column.get('data_type') or ''} "
            f"| {column_meta.get('privacy', '')} | {one_line(column['description'])} |\n"
        )
    return "".join(lines)


def one_line(text: str) -> str:
    """Fold a description into one table cell."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
