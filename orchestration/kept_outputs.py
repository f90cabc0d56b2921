"""What Dagster is told of models that a run leaves as they are.

Belongs here: which of their outputs are due before another one, because Dagster takes the outputs
of a step in the order of the graph and skips what is downstream of a missing one; their checks.
Does not belong here: which models stay (`affected.py`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg

KEPT = "kept as it is: nothing that it reads changed since it was built and tested"
"""What the UI shows where a build shows its duration."""
EMPTY = "nothing to test: what it looks at has no row, because its sources have no record"


class KeptOutputs:
    """Outputs that nothing was built for, each given once and after those it depends on."""

    def __init__(self, manifest: Mapping[str, Any], kept: Collection[str]) -> None:
        """Find the order.

        Args:
            manifest: dbt's.
            kept: Ids of the models that stay.
        """
        self._above: Mapping[str, list[str]] = manifest["parent_map"]
        models = {
            key: dg.AssetKey([props["schema"], props["name"]]).to_python_identifier()
            for key, props in manifest["nodes"].items()
            if props["resource_type"] == "model"
        }
        self._ids = {name: key for key, name in models.items()}
        self._waiting = {key: models[key] for key in kept}
        above = {key: [parent for parent in self._above[key] if parent in models] for key in models}
        order = TopologicalSorter(above).static_order()
        self._place = {models[key]: place for place, key in enumerate(order)}

    def before(self, event: object) -> Iterator[dg.Output]:
        """Those that a built model depends on and that were not given yet."""
        if isinstance(event, dg.Output):
            for parent in self._above[self._ids[event.output_name]]:
                yield from self._through(parent)

    def among(self, held: Sequence[dg.Output]) -> list[dg.Output]:
        """All that were not given yet and the outputs that were held back, in order."""
        rest = [_output(name) for name in self._waiting.values()]
        self._waiting.clear()
        return sorted([*held, *rest], key=lambda output: self._place[output.output_name])

    def _through(self, key: str) -> Iterator[dg.Output]:
        name = self._waiting.pop(key, None)
        for parent in self._above.get(key, ()):
            yield from self._through(parent)
        if name is not None:
            yield _output(name)


def _output(name: str) -> dg.Output:
    return dg.Output(None, output_name=name, metadata={"build": KEPT})


def kept_checks(
    manifest: Mapping[str, Any], specs: Iterable[dg.AssetCheckSpec], kept: Collection[str]
) -> Iterator[dg.AssetCheckResult]:
    """Results of the tests that had nothing new to test.

    Only of those that hold a build back: such a one passed on these very rows, or there would be no
    complete build that they are left from. A test that merely warns keeps what it said last.

    Args:
        manifest: dbt's.
        specs: The checks that dbt did not make.
        kept: Ids of the models that stay.
    """
    blocking = (spec for spec in specs if spec.blocking)
    return _passed(blocking, _asset_keys(manifest, kept), KEPT)


def empty_checks(
    manifest: Mapping[str, Any], specs: Iterable[dg.AssetCheckSpec], empty: Collection[str]
) -> Iterator[dg.AssetCheckResult]:
    """Results of the tests that had nothing to test at all: without a row none fails or warns.

    Args:
        manifest: dbt's.
        specs: The checks that dbt did not make.
        empty: Ids of the models that have no row.
    """
    return _passed(specs, _asset_keys(manifest, empty), EMPTY)


def _asset_keys(manifest: Mapping[str, Any], models: Collection[str]) -> set[dg.AssetKey]:
    nodes = manifest["nodes"]
    return {dg.AssetKey([nodes[key]["schema"], nodes[key]["name"]]) for key in models}


def _passed(
    specs: Iterable[dg.AssetCheckSpec], assets: Collection[dg.AssetKey], said: str
) -> Iterator[dg.AssetCheckResult]:
    for spec in specs:
        if spec.asset_key in assets:
            yield dg.AssetCheckResult(
                passed=True,
                asset_key=spec.asset_key,
                check_name=spec.name,
                metadata={"result": said},
            )
