"""DuckDB's engine, as readers use it: connections, statements, errors.

Belongs here: the names that readers need of it. Does not belong here: opening a snapshot
(`snapshot.py`), the warehouse (`warehouse.py`).

`import duckdb` brings the builder of relations and the metadata of installed packages, too, which
no reader uses; that takes longer than most answers (0.05 s of processor time at each start of a
command). The names here are the very objects of `duckdb`: whoever catches `duckdb.Error` catches
this one.
"""

try:
    from _duckdb import Error, connect
except ImportError:  # a release whose engine has another name
    from duckdb import Error, connect

__all__ = ["Error", "connect"]
