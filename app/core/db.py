"""One way to read and one way to write.

Reads go through an AUTOCOMMIT engine (two statements less per read, no transaction left open).
Writes happen inside :func:`transaction` only, which runs the whole unit again when the database
asks for it. On SQLite a write transaction begins IMMEDIATE: a deferred one loses read-modify-write.
"""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, current_app, g, has_app_context
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Enum,
    ExceptionContext,
    Executable,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Result,
    SmallInteger,
    Table,
    TypeDecorator,
    create_engine,
    event,
    insert,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, UOWTransaction, mapped_column

from app.core.errors import Unavailable
from app.core.ids import new_id

P = ParamSpec("P")
T = TypeVar("T")

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
# lock wait timeout, deadlock, record changed since last read (Galera)
RETRY_CODES = frozenset({1205, 1213, 1020})
# too many connections, cannot connect, gone away, lost connection
AWAY_CODES = frozenset({1040, 2002, 2003, 2006, 2013})
# server went read-only under a pooled connection: pre-ping does not notice
READ_ONLY_CODES = frozenset({1290, 1792, 1836})
TRIES = 6

_writing: ContextVar[Session | None] = ContextVar("writing", default=None)


class Instant(TypeDecorator[datetime]):
    """A point in time: aware in Python, UTC in the database, cut to ``fsp`` digits of a second.

    Microseconds unless told otherwise; in a table of many rows fewer digits save room.
    """

    impl = DateTime
    cache_ok = True

    def __init__(self, fsp: int = 6) -> None:
        super().__init__()
        self.fsp = fsp

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=self.fsp))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime given to the database")
        unit = 10 ** (6 - self.fsp)
        return value.astimezone(UTC).replace(tzinfo=None, microsecond=value.microsecond // unit * unit)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


Key = BigInteger().with_variant(Integer, "sqlite")
# For tables of so many rows that every byte of a column is a disk's worth.
Tiny = SmallInteger().with_variant(mysql.TINYINT(unsigned=True), "mysql", "mariadb")
Small = SmallInteger().with_variant(mysql.SMALLINT(unsigned=True), "mysql", "mariadb")
Paper = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
"""A document kept in a row: up to 16 MB."""
Medium = Integer().with_variant(mysql.MEDIUMINT(unsigned=True), "mysql", "mariadb")


def _values(members: type[StrEnum]) -> list[str]:
    return [member.value for member in members]


class Model(DeclarativeBase):
    """Base of every table. Enums are stored as text by value, so a new member needs no ALTER TABLE."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        datetime: Instant(),
        StrEnum: Enum(StrEnum, native_enum=False, length=32, values_callable=_values),
    }


def key_column() -> Any:
    """Return the primary key column: a scattered 63-bit number made by the application."""
    return mapped_column(Key, primary_key=True, autoincrement=False, default=new_id)


@event.listens_for(Table, "after_parent_attach")
def _chinese_safe_tables(table: Table, _metadata: MetaData) -> None:
    # The general and unicode collations of MySQL take 𠮷 and 𠮶 for one letter.
    table.kwargs.update(mysql_charset="utf8mb4", mysql_collate="utf8mb4_bin", mysql_engine="InnoDB")


class Database:
    """The two engines of one application over one database."""

    def __init__(self, url: str) -> None:
        options: dict[str, Any] = {
            "pool_pre_ping": True,
            "hide_parameters": True,  # errors go to the log, and what people wrote must not
            "json_serializer": lambda value: json.dumps(value, ensure_ascii=False),
        }
        if url.startswith("mysql"):
            options |= {
                "isolation_level": "READ COMMITTED",
                "pool_recycle": 1800,
                "pool_size": 10,
                "max_overflow": 10,
                "connect_args": {
                    "charset": "utf8mb4",
                    "connect_timeout": 5,
                    "read_timeout": 30,
                    "write_timeout": 30,
                },
            }
        self.write_engine = create_engine(url, **options)
        self.read_engine = create_engine(
            url,
            **{
                **options,
                "isolation_level": "AUTOCOMMIT",
                "pool_reset_on_return": None,
                "skip_autocommit_rollback": True,
            },
        )
        for engine in (self.write_engine, self.read_engine):
            event.listen(engine, "handle_error", _drop_read_only)
            if url.startswith("sqlite"):
                event.listen(engine, "connect", _sqlite_pragmas)
        if url.startswith("sqlite"):
            event.listen(self.write_engine, "begin", _begin_immediate)

    def dispose(self) -> None:
        self.write_engine.dispose()
        self.read_engine.dispose()


def _sqlite_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event says BEGIN, not the driver
    for pragma in (
        "journal_mode=WAL",
        "busy_timeout=15000",
        "foreign_keys=ON",
        "synchronous=FULL",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _drop_read_only(context: ExceptionContext) -> None:
    if _code(context.original_exception) in READ_ONLY_CODES:
        context.is_disconnect = True


def _code(error: BaseException | None) -> int | None:
    args = getattr(error, "args", ())
    return args[0] if args and isinstance(args[0], int) else None


def database() -> Database:
    """Return the current application's database."""
    found: Database = current_app.extensions["hall_db"]
    return found


def session() -> Session:
    """Return the session of the running transaction, else this context's reading session."""
    writing = _writing.get()
    if writing is not None:
        return writing
    if "read_session" not in g:
        reading = Session(database().read_engine, autoflush=False)
        event.listen(reading, "before_flush", _refuse_write)
        g.read_session = reading
    found: Session = g.read_session
    return found


def rows(statement: Executable, given: Mapping[str, Any] | None = None) -> Result[Any]:
    """Run a statement over tables, put together once, after what the transaction changed so far.

    Statements over models write pending changes first by themselves; those over tables, which cost a
    fraction, do not.
    """
    running = session()
    running.flush()
    return running.execute(statement, given)


def insert_once(model: type[Model], *values: Mapping[str, Any]) -> None:
    """Insert rows in the running transaction, each unless one with its unique key is there.

    One statement and no savepoint; somebody who inserts the same in this moment is waited for. Which of
    the two it was is asked by the key: drivers do not count alike.
    """
    table = cast(Table, model.__table__)
    if writing().get_bind().dialect.name == "sqlite":
        made: Any = sqlite_insert(table).on_conflict_do_nothing()
    else:
        # IGNORE would swallow more than taken keys.
        key = next(iter(table.primary_key)).name
        made = mysql.insert(table).on_duplicate_key_update({key: table.c[key]})
    writing().flush()
    writing().execute(made, [dict(one) for one in values])


def _refuse_write(_session: Session, _context: UOWTransaction, _instances: object) -> None:
    raise RuntimeError("write outside db.transaction()")


def writing() -> Session:
    """Return the session of the running transaction.

    Raises:
        RuntimeError: there is none; a service that writes was called outside ``transaction``.
    """
    found = _writing.get()
    if found is None:
        raise RuntimeError("write outside db.transaction()")
    return found


_drawn: set[str] = set()


def draw_again(*names: str) -> None:
    """Say how the databases name a unique key whose values are drawn by lot, and seldom meet.

    A transaction in which one is met runs again, and draws another; nobody has to look before.
    """
    _drawn.update(names)


BeforeCommit = Callable[[Session], None]
_before_commit: list[BeforeCommit] = []
_last_before_commit: list[BeforeCommit] = []


def before_commit(hook: BeforeCommit) -> BeforeCommit:
    """Register ``hook`` to run at the end of every transaction, inside it."""
    _before_commit.append(hook)
    return hook


def last_before_commit(hook: BeforeCommit) -> BeforeCommit:
    """Register ``hook`` to run after all others, which may still give it something to do."""
    _last_before_commit.append(hook)
    return hook


def transaction(work: Callable[[], T]) -> T:
    """Run ``work`` in one transaction; commit, or roll back on any error.

    The whole of ``work`` is run again when the database reports a deadlock, a lock wait or a
    conflict with another node, so it must do nothing that cannot be repeated.

    Raises:
        Unavailable: the database is away or stayed locked through every try. Nothing was done, unless
            the connection broke while COMMIT was under way: then nobody can tell, and only work that
            may be repeated (a key, a version) is safe to ask for again.
    """
    if _writing.get() is not None:
        raise RuntimeError("transactions do not nest")
    for attempt in range(1, TRIES + 1):
        try:
            return _once(work)
        except DBAPIError as error:
            if not _may_retry(error) or attempt == TRIES:
                raise as_unavailable(error) from error
            time.sleep(random.uniform(0.5, 1.5) * 0.01 * 2**attempt)
    raise AssertionError("unreachable")


def _once(work: Callable[[], T]) -> T:
    with Session(database().write_engine, expire_on_commit=False) as fresh:
        token = _writing.set(fresh)
        try:
            result = work()
            fresh.flush()
            for hook in (*_before_commit, *_last_before_commit):
                hook(fresh)
            fresh.commit()
        except BaseException:
            fresh.rollback()
            raise
        finally:
            _writing.reset(token)
            _forget_read()
        return result


def insert_ignoring(model: type[Model]) -> Insert:
    """Return an INSERT that leaves rows alone whose key is there already."""
    # Into the table and not the model: rows by the thousand need no objects.
    table = cast(Table, model.__table__)
    return insert(table).prefix_with("OR IGNORE", dialect="sqlite").prefix_with("IGNORE", dialect="mysql")


def transactional(view: Callable[P, T]) -> Callable[P, T]:
    """Wrap a view or command so that its whole body is one :func:`transaction`."""

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        return transaction(lambda: view(*args, **kwargs))

    return wrapped


def _may_retry(error: DBAPIError) -> bool:
    if isinstance(error, IntegrityError):
        return any(name in str(error.orig) for name in _drawn)
    if isinstance(error.orig, sqlite3.OperationalError):
        return "locked" in str(error.orig) or "busy" in str(error.orig)
    return _code(error.orig) in RETRY_CODES


def as_unavailable(error: DBAPIError) -> Exception:
    """Return ``Unavailable`` for a database that is away or locked, else ``error`` itself."""
    away = _code(error.orig) in AWAY_CODES | READ_ONLY_CODES | RETRY_CODES
    locked = isinstance(error.orig, sqlite3.OperationalError) and _may_retry(error)
    if away or locked or (isinstance(error, OperationalError) and error.connection_invalidated):
        return Unavailable()
    return error


def _forget_read() -> None:
    # What was read before the transaction may have been changed by it.
    if has_app_context() and "read_session" in g:
        g.pop("read_session").close()


def dispose_at_fork(app: Flask) -> None:
    """Give a forked worker connections of its own."""
    found: Database = app.extensions["hall_db"]
    for engine in (found.write_engine, found.read_engine):
        engine.dispose(close=False)


def init_app(app: Flask, url: str) -> None:
    app.extensions["hall_db"] = Database(url)

    @app.teardown_appcontext
    def _close(_exc: BaseException | None) -> None:
        _forget_read()
