"""Loaded by every Python process of a probed run: says which packages it imports, as it does.

Belongs here: one file per process in the folder that AGENTLEDGER_BENCH_PROBE names. Does not belong
here: anything else; this runs inside what is measured. Nothing is left for the end of the process:
a run ends without the usual clean-up, and a command may be replaced by another program.
"""

import os
import sys
from typing import Any


def _watch_imports(folder: str) -> None:
    seen: set[str] = set()
    path = os.path.join(folder, f"{os.getpid()}.txt")  # noqa: PTH118 - pathlib is not imported yet
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "import":
            return
        package = str(arguments[0]).partition(".")[0]
        if package not in seen:
            seen.add(package)
            os.write(descriptor, f"{package}\n".encode())

    sys.addaudithook(note)


_folder = os.environ.get("AGENTLEDGER_BENCH_PROBE")  # noqa: TID251 - not part of the product
if _folder:
    _watch_imports(_folder)
