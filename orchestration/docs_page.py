"""The one page of the dbt docs site, put together from what dbt wrote.

Belongs here: pure functions from dbt's template, manifest and catalogue to the text of the page,
and how the page looks. Does not belong here: running dbt (`docs_site.py`), what is said about a
model (`models/`).

dbt's own page would do, but for what a reader stumbles over: worked examples among the relations of
the lineage graph, column descriptions cut off after three words, a folder called "..", an icon that
is missing, `meta` as JSON.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agentledger.errors import AgentLedgerError

Node = dict[str, Any]

MANIFEST_SLOT = '"MANIFEST.JSON INLINE DATA"'
CATALOG_SLOT = '"CATALOG.JSON INLINE DATA"'

LIST_SENTENCE = "All of them, with what a row is, are listed in docs/data-dictionary.md."
"""Sentence of the overview (`models/docs.md`) in whose place the list of this build is put."""

TITLE = "<title>dbt Docs</title>"
BROKEN_ICON = "${require('./assets/favicons/favicon.ico')}"
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%231f5f8b'/%3E"
    "%3Cpath d='M4 12V8m4 4V4m4 8V6' stroke='white' stroke-width='2'/%3E%3C/svg%3E"
)

NOTHING_LEAVES = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; font-src data:; base-uri 'none'; form-action 'none'\">"
)
"""dbt's page holds a tracker that it loads under some conditions. With this the browser refuses to
load or send anything, whatever the conditions; links stay links."""

EARLY_ICON, ICON_AFTER_BINDING = ' xlink:href="{{ getIcon(', ' ng-attr-href="{{ getIcon('
"""Without it the browser asks the server for a file called "{{ getIcon(…) }}"."""

LOOK = """<style>
.logo img { display: none; }
.logo a { color: #1f5f8b; font-size: 20px; font-weight: 700; line-height: 46px; }
.logo a:hover { text-decoration: none; }
.logo a::after { content: "AgentLedger"; }
.column-row td { vertical-align: top; }
.column-row td:nth-child(3) { white-space: normal !important; max-width: none !important; }
.column-row td:nth-child(1), .column-row td:nth-child(2) { white-space: nowrap; }
.table-responsive th:nth-child(4), .column-row td:nth-child(4) { display: none; }
.table-responsive { max-height: none !important; }
.details-content, .detail-group, .detail-body { white-space: normal !important; }
.model-markdown table td { vertical-align: top; }
.model-markdown pre { white-space: pre; overflow-x: auto; }
</style>"""

FAINT_EDGES, CLEAR_EDGE = ('-color":"#006f8a"', '-color":"#027599"'), '-color":"#6cb8cc"'
"""Edges of the graph: dbt's differ from their background by a shade nobody sees on a projector."""

DEFAULT_GRAPH = '["model","seed","snapshot","source","test","unit_test","analysis"'
GRAPH_WITHOUT_TESTS = '["model","seed","snapshot","source","analysis"'
"""What the lineage graph shows first. Tests can be ticked; the page of a relation lists its own."""

SHARED_GROUPS = ("core", "ops")
"""Shown after the subjects that people come for."""


def compose(template: str, manifest: Node, catalog: Mapping[str, Any]) -> str:
    """The whole page as text.

    Args:
        template: dbt's `index.html`, with a slot for each of the other two.
        manifest: dbt's `manifest.json`; changed in place.
        catalog: dbt's `catalog.json`.

    Raises:
        AgentLedgerError: When the template has no such slots: another dbt than this was made for.
    """
    missing = [slot for slot in (MANIFEST_SLOT, CATALOG_SLOT) if slot not in template]
    if missing:
        raise AgentLedgerError(
            f"dbt's page template has no place for {' and '.join(missing)}: this dbt is another "
            "than the lock file names. Run `make setup`, then try again."
        )
    page = (
        template.replace(TITLE, "<title>AgentLedger docs</title>")
        .replace(BROKEN_ICON, ICON)
        .replace(DEFAULT_GRAPH, GRAPH_WITHOUT_TESTS)
        .replace(EARLY_ICON, ICON_AFTER_BINDING)
        # First of all in the head: the policy holds for what comes after it.
        .replace("<head>", f"<head>{NOTHING_LEAVES}", 1)
        .replace("</head>", f"{LOOK}</head>", 1)
    )
    for faint in FAINT_EDGES:
        page = page.replace(faint, CLEAR_EDGE)
    page = page.replace(MANIFEST_SLOT, _as_script(presented(manifest)))
    return page.replace(CATALOG_SLOT, _as_script(catalog))


def presented(manifest: Node) -> Node:
    """The manifest as the page shows it; changed in place."""
    for node in _documented(manifest):
        show_where_it_lies(node)
        show_meta(node)
    list_published(manifest)
    return manifest


def show_where_it_lies(node: Node) -> None:
    """Name a file from the checkout's root: the models lie beside the dbt project."""
    for key in ("original_file_path", "patch_path"):
        if node.get(key):
            node[key] = str(node[key]).replace("../", "")


def show_meta(node: Node) -> None:
    """Say in words what `meta` says to programs."""
    meta = node.get("meta")
    if not meta:
        return
    shown: dict[str, str] = {}
    if "grain" in meta:
        shown["one row per"] = ", ".join(meta["grain"])
    if node["resource_type"] == "model":
        is_published = meta.get("publish") is True
        shown["published"] = "yes, readers see it" if is_published else "no, stays in the warehouse"
    node["meta"] = shown


def list_published(manifest: Node) -> None:
    """Put the list of all published relations into the overview."""
    listed = published_list(manifest)
    for block in manifest.get("docs", {}).values():
        if block["name"] == "__overview__":
            block["block_contents"] = block["block_contents"].replace(LIST_SENTENCE, listed)


def published_list(manifest: Node) -> str:
    """Every published relation, by subject, as markdown with links."""
    lines = []
    groups = {str(node["group"]) for node in published_models(manifest)}
    for group in sorted(groups, key=lambda name: (name in SHARED_GROUPS, name)):
        about = next(
            (one for one in manifest.get("groups", {}).values() if one["name"] == group), {}
        )
        lines += [f"**{group}**: {about.get('description') or ''}", ""]
        lines += ["| Relation | What it says, and what a row is |", "|---|---|"]
        for node in published_models(manifest):
            if node["group"] == group:
                link = f"[{node['name']}](#!/model/{node['unique_id']})"
                lines.append(f"| {link} | {_in_a_cell(node['description'])} |")
        lines.append("")
    return "\n".join(lines)


def published_models(manifest: Node) -> list[Node]:
    """Models whose YAML says `meta.publish: true`, in the order of their names."""
    chosen = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["config"].get("meta", {}).get("publish") is True
    ]
    return sorted(chosen, key=lambda node: str(node["name"]))


def _documented(manifest: Node) -> Iterator[Node]:
    for kind in ("nodes", "sources", "exposures", "macros", "unit_tests"):
        yield from manifest.get(kind, {}).values()


def _in_a_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _as_script(value: object) -> str:
    # "</script>" in a description would end the page's own script.
    return json.dumps(value, separators=(",", ":")).replace("</", "<\\/")
