"""Raw tables whose records have texts that the vault may keep.

Belongs here: their list, over the formats of every reader. Does not belong here: which fields are
texts (`private_texts.py`), keeping them (`vault.py`).
"""

from agentledger.ingest.event_formats import FORMATS
from agentledger.ingest.langfuse_formats import LANGFUSE_FORMATS
from agentledger.ingest.otlp_formats import OTLP_FORMATS
from agentledger.ingest.transcript_formats import TRANSCRIPT_FORMATS

TABLES_WITH_TEXTS = tuple(
    sorted(
        {
            item.table
            for formats in (FORMATS, LANGFUSE_FORMATS, OTLP_FORMATS, TRANSCRIPT_FORMATS)
            for item in formats.values()
            if item.texts
        }
    )
)
