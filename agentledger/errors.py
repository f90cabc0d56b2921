"""Errors that a person can act on.

Belongs here: exception types whose message says what happened, where, and what to do next. The CLI
prints them without a traceback; every other exception is a defect of ours and keeps its traceback.
"""


class AgentLedgerError(Exception):
    """Something the user can mend; the message says how. Exit code 1."""


class UsageError(AgentLedgerError):
    """The command was called wrongly. Exit code 2."""


class RunLockedError(AgentLedgerError):
    """Another run holds the run lock, or another process holds the warehouse file."""


class NothingPublishedError(AgentLedgerError):
    """There is no published snapshot to read yet."""


class PublishRefusedError(AgentLedgerError):
    """The build may not be published: it is not complete or not the one that was tested."""
