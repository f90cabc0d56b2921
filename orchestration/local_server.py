"""Ports and servers of this machine.

Belongs here: the one address anything listens on, asking whether a port is free, a file server that
asks no name server. Does not belong here: what is served (`docs_site.py`, Dagster's own UI).
"""

import errno
import functools
import http.server
import socket
import socketserver
from pathlib import Path

from agentledger.errors import AgentLedgerError

LOCAL_HOST = "127.0.0.1"
"""The only address anything here listens on."""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and reports errors alone: the terminal belongs to a person."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing about what was served."""


class LocalServer(http.server.ThreadingHTTPServer):
    """A file server that never looks a name up: the base class asks for that of its address."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Bind, and take the address for the name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOCAL_HOST, self.server_address[1]


def serve_folder(folder: Path, port: int) -> LocalServer:
    """A server of a folder on this machine alone; the caller runs and closes it.

    Args:
        folder: Need not exist yet.
        port: 0 takes any free one.

    Raises:
        AgentLedgerError: When the port cannot be had.
    """
    try:
        return LocalServer(
            (LOCAL_HOST, port), functools.partial(QuietHandler, directory=str(folder))
        )
    except OSError as error:
        raise _no_port(port, error) from error


def require_free_port(port: int) -> None:
    """Ask before a slow start: Dagster takes half a minute to say that its port is taken.

    Raises:
        AgentLedgerError: When the port cannot be had.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as asking:
        # As the servers do: a port whose last owner has just ended is free.
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asking.bind((LOCAL_HOST, port))
        except OSError as error:
            raise _no_port(port, error) from error


def _no_port(port: int, error: OSError) -> AgentLedgerError:
    why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
    return AgentLedgerError(
        f"Port {port} of {LOCAL_HOST} {why}. Choose another with --port N, or end what uses it."
    )
