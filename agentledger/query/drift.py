"""What tools wrote that nobody told us of, as people read it.

Belongs here: the rows of `source_drift` that are alarms, in words. Does not belong here: what an
alarm is (the model), what to do about it (`doctor.py`).
"""

from collections.abc import Mapping
from typing import Any, Final

DRIFT: Final = """
    select source_kind, what, name, occurrences, n_files, example_file_id, example_line_no,
        unparsed_share, unparsed_share_before
    from marts.source_drift where is_alarm
    order by what, source_kind, occurrences desc, name
"""


def drift_in_words(row: Mapping[str, Any]) -> str:
    """One row of `source_drift` that is an alarm, as a sentence."""
    kind, name = row["source_kind"], row["name"]
    times = f"{row['occurrences']:,} times"
    if row["what"] == "tool_version":
        return f"{kind} wrote with version {name} for the first time."
    if row["what"] == "line_type":
        return f"{kind} wrote lines of the type {name}, which no reader knows ({times})."
    if row["what"] == "unparsed_share":
        before = row["unparsed_share_before"] or 0
        return (
            f"{row['unparsed_share']:.1%} of the records of {kind} could not be read in the last "
            f"run, and {before:.1%} before."
        )
    noun = "usage key" if row["what"] == "usage_key" else "field"
    return f"{kind} wrote the {noun} {name}, which no reader knows ({times})."
