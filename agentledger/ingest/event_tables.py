"""Tables of events: CSV, what PostgreSQL copies out, Parquet.

Belongs here: a row as one event, its cells as plain JSON. Does not belong here: lines and documents
(`event_records.py`), what may be kept of a field (`event_columns.py`).
"""

import csv
import io
import math
from collections.abc import Mapping
from typing import Any

from agentledger.ingest import copy_text
from agentledger.ingest.documents import NOT_A_NUMBER, DocumentError, Members, Number
from agentledger.ingest.event_formats import FORMATS, EventFormat
from agentledger.ingest.event_records import EventText, RefusedPart, take


def read_csv(
    text: str,
    flags: tuple[str, ...] = (),
    formats: Mapping[str, EventFormat] = FORMATS,
    delimiter: str = ",",
) -> EventText:
    """Read a table exported as CSV: each row is an event, an empty cell is unknown."""
    result = EventText()
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    ends = [position for position, character in enumerate(text) if character == "\n"]
    try:
        for row in reader:
            cells = Members({name: cell for name, cell in row.items() if name and cell})
            # The reader tells the line on which a row ends.
            start = ends[reader.line_num - 2] + 1 if 2 <= reader.line_num <= len(ends) + 1 else 0
            take(result, cells, (start, start), (None, formats), flags)
    except csv.Error as error:
        result.refused.append(RefusedPart("malformed_record", str(error), 0, len(text)))
    return result


def read_copy_text(
    text: str, flags: tuple[str, ...] = (), formats: Mapping[str, EventFormat] = FORMATS
) -> EventText:
    """Read a table that PostgreSQL copied out as text with a header."""
    result = EventText()
    for start, end, cells in copy_text.rows(text):
        if isinstance(cells, copy_text.TornRowError):
            result.refused.append(RefusedPart("malformed_record", str(cells), start, end))
        else:
            take(result, Members(cells), (start, end), (None, formats), flags)
    return result


def read_table(
    text: str, flags: tuple[str, ...] = (), formats: Mapping[str, EventFormat] = FORMATS
) -> EventText:
    """Read a table that some database exported, as CSV or in the form of its own."""
    read = read_copy_text if copy_text.is_copy_text(text) else read_csv
    return read(text, flags, formats)


def read_parquet(
    data: bytes,
    flags: tuple[str, ...] = (),
    formats: Mapping[str, EventFormat] = FORMATS,
    *,
    keeps_texts: bool = False,
) -> EventText:
    """Read a Parquet file: each row is an event; columns that no format reads are never decoded.

    With `keeps_texts` what the vault alone keeps is read, too.

    Raises:
        DocumentError: When the file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = {name for item in formats.values() for name in item.fields}
    if keeps_texts:
        wanted |= {name for item in formats.values() for name in item.vault_fields}
    result = EventText()
    try:
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            columns = [name for name in file.schema_arrow.names if name in wanted]
            for batch in file.iter_batches(columns=columns):
                for row in batch.to_pylist(maps_as_pydicts="lossy"):
                    cells = Members({name: _cell(cell) for name, cell in row.items()})
                    take(result, cells, (0, 0), (None, formats), flags)
    except (pa.ArrowException, OSError) as error:
        raise DocumentError("unrecognised_format", f"the table is damaged: {error}") from error
    return result


def _cell(value: Any) -> Any:
    """A cell as JSON would have it."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, dict):
        return Members({str(name): _cell(item) for name, item in value.items()})
    if isinstance(value, list):
        return [_cell(item) for item in value]
    if isinstance(value, int | float):
        return Number(value) if math.isfinite(value) else NOT_A_NUMBER
    return str(value)
