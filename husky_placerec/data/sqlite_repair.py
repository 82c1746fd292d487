"""The readable part of a sqlite3 bag whose end is missing, copied into a whole one."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
import sqlite3

TABLES = 'schema', 'metadata', 'topics', 'message_definitions'


def repair_sqlite(path: Path, copy: Path) -> None:
    """
    Copy all rows of a cut .db3 that can be read.

    :raises sqlite3.Error: for a file without the tables of a bag.
    """
    with (
        closing(sqlite3.connect(f'file:{path}?mode=ro&immutable=1', uri=True)) as old,
        closing(sqlite3.connect(copy)) as new,
    ):
        old.text_factory = bytes
        # Without it sqlite3 refuses a file with fewer pages than its header says.
        old.execute('PRAGMA writable_schema = ON')
        made = old.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        statements = {name.decode(): sql.decode() for name, sql in made}
        for name in (*TABLES, 'messages'):
            if name in statements:
                new.execute(statements[name])
        for name in TABLES:
            if name in statements:
                _copy(old, new, name, 'rowid')
        # In the order of the rows, which are stored one after the other: the last are lost.
        _copy(old, new, 'messages', 'id')
        for (sql,) in old.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql > ''"
        ):
            new.execute(sql.decode())  # it orders messages of one time as in the old file
        new.commit()


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str, order: str) -> None:
    rows = old.execute(f'SELECT * FROM {table} ORDER BY {order}')
    places = ', '.join('?' * len(rows.description))
    with suppress(sqlite3.DatabaseError):  # where the file ends
        for row in rows:
            values = [
                value.decode() if table != 'messages' and isinstance(value, bytes) else value
                for value in row
            ]
            new.execute(f'INSERT INTO {table} VALUES ({places})', values)
