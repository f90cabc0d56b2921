"""`python -m benchmarks.peers`: ours beside ccusage and agentsview, on the same files in one run.

Belongs here: arguments, the frame around both parts, the exit code. Does not belong here: the peers
(`peer_tools.py`), the page of results (`peer_page.py`), the timings (`peer_speed.py`).

Exit codes: 0 measured, or a peer is absent and said so; 2 something broke.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import figures, peer_page, peer_speed, peer_tools
from benchmarks.generate import DEFAULT_CACHE
from benchmarks.ledger import REPO_ROOT
from benchmarks.peer_transcripts import SIZES
from benchmarks.processes import ChildFailedError

EXIT_DONE, EXIT_BROKEN = 0, 2
PARTS = ("correctness", "speed", "both")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the asked parts; return the exit code."""
    asked = _parser().parse_args(arguments)
    asked.cache.mkdir(parents=True, exist_ok=True)
    cache = asked.cache.resolve()
    print(figures.machine_line())
    absent = peer_tools.install(cache / "peers")
    for name, reason in absent.items():
        print(f"without {name}: {reason}")
    work = Path(tempfile.mkdtemp(dir=cache, prefix="work-peers-"))
    try:
        if asked.part in ("correctness", "both"):
            page = peer_page.results_page(cache / "peers", work / "cases", absent)
            asked.page.write_text(page, encoding="utf-8")
            print(f"wrote {asked.page.name}\n{page}")
        if asked.part in ("speed", "both"):
            found = peer_speed.measure(
                asked.size, cache, work / "speed", absent, lambda text: print(text, flush=True)
            )
            print(f"\npeers, {asked.size}\n" + figures.table(found))
    except (ChildFailedError, LookupError) as error:
        print(f"broken: {error}", file=sys.stderr)
        return EXIT_BROKEN
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return EXIT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--part", choices=PARTS, default="both")
    parser.add_argument(
        "--cache", type=Path, default=DEFAULT_CACHE, help="where files and peers are kept"
    )
    parser.add_argument(
        "--page", type=Path, default=REPO_ROOT / "docs" / "peers.md", help="page of the results"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
