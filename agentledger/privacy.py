"""What is kept, hashed or withheld, applied before a row is written.

Belongs here: the secret of this ledger, keyed hashes (in Python and as SQL that gives the same
bytes), the normal form of texts, the allow-list rule for fields that look like enums but hold free
text. Does not belong here: which field of which format has which class (each format's module).

Source of the rules: formats.md section 0 (privacy classes) of the shared documents, RFC 2104
(HMAC).
"""

import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from agentledger import files
from agentledger.errors import AgentLedgerError
from agentledger.settings import Settings

if TYPE_CHECKING:
    import duckdb

KEY_BYTES = 32
"""As long as the digest: more adds nothing to HMAC-SHA-256."""

_BLOCK_BYTES = 64  # SHA-256 works on blocks of 64 bytes (RFC 2104, section 2)

CLASS_NAME_PATTERN = "^[A-Za-z_][A-Za-z0-9_.]{0,63}$"
"""A bare class name: what may be kept of a field in which messages hide."""

PLAIN_NAME_PATTERN = "^[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,127}$"
"""A name of an agent, workflow or tool: no spaces, so that a sentence is never taken for one."""


def load_or_create_key(settings: Settings) -> bytes:
    """Read the secret of this data home, making it on first use (mode 0600).

    Two processes that start at the same time end with the same key: the file is linked into place
    complete, and the loser reads the winner's.

    Raises:
        AgentLedgerError: When the file exists and is not a key.
    """
    path = settings.key_path
    if not path.exists():
        files.make_private_folder(settings.home)
        draft = path.with_name(f"key.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first, and its key is the one
        finally:
            draft.unlink()
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", text):
        raise AgentLedgerError(_key_lost(path, "is not a key of this ledger"))
    return bytes.fromhex(text)


def require_key(settings: Settings) -> None:
    """Refuse to go on without the key once something was read with it.

    Raises:
        AgentLedgerError: When the key file is missing.
    """
    if not settings.key_path.exists():
        raise AgentLedgerError(_key_lost(settings.key_path, "is missing"))


def _key_lost(path: Path, what: str) -> str:
    return (
        f"{path} {what}. Restore it from a backup: with a new key, nothing read before would match "
        "what is read from now on. To begin again from nothing, remove the whole data home."
    )


def normalise_text(text: str) -> str:
    """Bring a text into the form in which equal requests are equal.

    NFC, lower case, runs of ASCII white space become one space, trimmed.
    """
    folded = unicodedata.normalize("NFC", text).lower()
    return re.sub(r"[ \t\n\r\f\v]+", " ", folded).strip(" ")


def keyed_hash(key: bytes, text: str) -> str:
    """HMAC-SHA-256 of a text as 64 hexadecimal digits; useless without the key of this ledger."""
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """Inner and outer block of HMAC (RFC 2104), from which SQL can compute the same digest."""
    block = key.ljust(_BLOCK_BYTES, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def set_hmac_pads(connection: "duckdb.DuckDBPyConnection", key: bytes) -> None:
    """Give a connection what `sql_keyed_hash` reads; bound, so that no SQL text holds the key."""
    inner, outer = hmac_pads(key)
    connection.execute("set variable hmac_inner = ?::blob", [inner])
    connection.execute("set variable hmac_outer = ?::blob", [outer])
    # Part of every identity that is made of a producer's id: without it, whoever holds the id could
    # compute the published key.
    connection.execute("set variable identity_salt = ?", [keyed_hash(key, "identity")])


def sql_keyed_hash(expression: str) -> str:
    """SQL for `keyed_hash(key, expression)`, on a connection that has the pads as variables."""
    return (
        "sha256(getvariable('hmac_outer')::blob || unhex(sha256("
        f"getvariable('hmac_inner')::blob || encode({expression}))))"
    )


def sql_keyed_id(expression: str) -> str:
    """SQL for a keyed hash of an id, 32 hexadecimal digits, at half the price of `sql_keyed_hash`.

    SHA-256 over a block of the key and the id, cut to half: the cut keeps anybody from extending
    it, which is what HMAC's second round is for. For ids alone; texts are hashed with HMAC.
    """
    return f"left(sha256(getvariable('hmac_inner')::blob || encode({expression})), 32)"


def sql_normalised(expression: str) -> str:
    """SQL for `normalise_text(expression)`; most texts hold nothing to collapse and skip that."""
    folded = f"lower(nfc_normalize({expression}))"
    collapsed = f"regexp_replace({folded}, '[ \\t\\n\\r\\f\\v]+', ' ', 'g')"
    return (
        f"trim(case when regexp_matches({expression}, '[\\t\\n\\r\\f\\v]|  ') "
        f"then {collapsed} else {folded} end, ' ')"
    )


def project_id(key: bytes, path: str) -> str:
    """Identity of a project: 32 hexadecimal digits, a keyed hash of its main repository's path."""
    return keyed_hash(key, f"project\x1f{main_repository(path)}")[:32]


def resolve_path(path: str | Path) -> str:
    """Resolve `~`, links and slashes: two names of one directory must be one project."""
    return str(Path(path).expanduser().resolve())


def main_repository(path: str | Path) -> str:
    """Where a git worktree belongs; any other path stands for itself.

    A worktree is recognised by its `.git` file (`gitdir: …/.git/worktrees/<name>`); a submodule has
    such a file too and is a project of its own.
    """
    marker = Path(path) / ".git"
    try:
        text = marker.read_text(encoding="utf-8", errors="replace") if marker.is_file() else ""
    except OSError:
        text = ""  # an unreadable marker only means that the path stands for itself
    match = re.match(r"gitdir:\s*(.+?)\s*$", text)
    if match:
        git_dir = (Path(path) / match.group(1)).resolve()
        if git_dir.parent.name == "worktrees" and git_dir.parent.parent.name == ".git":
            return str(git_dir.parent.parent.parent)
    return str(path)
