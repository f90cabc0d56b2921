"""Loaded by every Python process of a probed run: says at its end which packages it imported.

Belongs here: one file per process in the folder that AGENTLEDGER_BENCH_PROBE names. Does not belong
here: anything else; this runs inside what is measured.
"""

import atexit
import os
import sys


def _write() -> None:
    folder = os.environ.get("AGENTLEDGER_BENCH_PROBE")  # noqa: TID251 - not part of the product
    if folder:
        names = sorted({name.partition(".")[0] for name in sys.modules})
        with open(os.path.join(folder, f"{os.getpid()}.txt"), "a") as file:  # noqa: PTH118, PTH123
            file.write("\n".join(names) + "\n")


atexit.register(_write)
