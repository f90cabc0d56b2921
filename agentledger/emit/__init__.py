"""Write events of agents into this ledger's spool, without slowing or breaking the program.

Belongs here: what producers call. `IntentRecorder` (one event per utterance), `ChatRecorder` (the
answer to it), `EventRecorder` (skills, workflows, tasks), `EventWriter` (the spool itself). Does
not belong here: reading the spool (`ingest`).

Importing this package touches no disk and needs the standard library alone.
"""

from agentledger.emit.chat import ChatRecorder
from agentledger.emit.events import EventRecorder
from agentledger.emit.recorder import IntentRecorder
from agentledger.emit.trace import IntentTrace
from agentledger.emit.utterance import Utterance
from agentledger.emit.writer import EventWriter, WriterStats, shared_writer

__all__ = [
    "ChatRecorder",
    "EventRecorder",
    "EventWriter",
    "IntentRecorder",
    "IntentTrace",
    "Utterance",
    "WriterStats",
    "shared_writer",
]
