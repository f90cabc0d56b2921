"""The parsed dbt project, loaded once.

Belongs here: what the process from which the runs of dbt are forked loads as it starts. Does not
belong here: making the parse, which the fixture `dbt` sees to before.

Handed over, it spares each run of dbt two seconds of comparing files and of parsing for a profile
that names another folder.
"""

from typing import TYPE_CHECKING

from orchestration.manifest import partial_parse_path

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


def _load() -> "Manifest":
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    data = partial_parse_path().read_bytes()
    return Manifest.from_msgpack(data, decoder=extended_mashumuro_decoder)


PARSED = _load()
