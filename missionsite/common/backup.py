"""Backups of the database and the documents, and restoring one into an empty database.

A backup is a folder: `database.dump` (pg_dump's custom format), `documents.tar`, `erasures.json` and `manifest.json`
with the digests of the three, the number of rows of each table and the digest of each object of the schema. Rows and
dump are of one snapshot. It appears under its name once it is complete.
"""

# ruff: noqa: S603 - runs only pg_dump and pg_restore

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import psycopg
from django.conf import settings
from django.core.files.storage import storages
from django.db import connections
from psycopg import sql

from missionsite import embedded
from missionsite.common import documents
from missionsite.common.erasures import recorded_erasures
from missionsite.common.sql_loader import read_sql

DUMP, DOCUMENTS, ERASURES, MANIFEST = "database.dump", "documents.tar", "erasures.json", "manifest.json"
DUMP_OPTIONS: tuple[str, ...] = ("--format=custom",)
_CHUNK = 1024 * 1024
_CATALOG = read_sql("common/queries/catalog")


class BackupError(Exception):
    """A backup or a restore is not possible; the text says why."""


@dataclass
class Description:
    """What a database holds: rows by table, values of sequences, digests of the schema's objects by kind and name."""

    rows: dict[str, int] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: psycopg.Connection) -> Self:
        objects = {f"{kind} {name}": digest for kind, name, digest in connection.execute(_CATALOG)}
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        rows = {name: _count(connection, name) for (name,) in tables}
        sequences = connection.execute(
            "SELECT sequencename::text, coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = 'public'"
        )
        return cls(rows, dict(sequences.fetchall()), objects)

    def differences(self, restored: "Description") -> list[str]:
        """How a restored database differs, a line for each difference. A sequence may be ahead, but not behind."""
        found = [f"missing: {name}" for name in self.objects if name not in restored.objects]
        found += [f"not in the backup: {name}" for name in restored.objects if name not in self.objects]
        found += [
            f"other definition: {name}"
            for name, digest in self.objects.items()
            if restored.objects.get(name, digest) != digest
        ]
        found += [
            f"rows of {name}: {number}, restored {restored.rows.get(name)}"
            for name, number in self.rows.items()
            if restored.rows.get(name) != number
        ]
        return found + [
            f"sequence {name}: {value}, restored {restored.sequences.get(name)}"
            for name, value in self.sequences.items()
            if restored.sequences.get(name, -1) < value
        ]


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", table))).fetchone()
    return row[0] if row else 0


def owner_settings() -> Mapping[str, Any]:
    """The settings of the schema's owner, or of the only role where there is one."""
    return settings.DATABASE_OWNER or settings.DATABASE_DIRECT or connections["default"].settings_dict


def reader_settings() -> Mapping[str, Any]:
    """The settings of the role that reads all rows: row security also limits the owner of the tables.

    DATABASE_BACKUP_URL, or the superuser of the embedded server. Raises BackupError without either.
    """
    if settings.EMBEDDED:
        user, password = embedded.superuser(settings.VAR_DIR)
        return {**owner_settings(), "USER": user, "PASSWORD": password}
    if settings.DATABASE_BACKUP is None:
        raise BackupError("Set DATABASE_BACKUP_URL to a role that reads all rows: see .env.example.")
    return settings.DATABASE_BACKUP


def connect(database: Mapping[str, Any]) -> psycopg.Connection:
    """A connection with Django's settings of a database."""
    return psycopg.connect(**_params(database), password=database["PASSWORD"] or None)


def _params(database: Mapping[str, Any]) -> dict[str, Any]:
    params = {name: database[key] for name, key in (("host", "HOST"), ("port", "PORT"), ("user", "USER"))}
    ssl = {key: value for key, value in database.get("OPTIONS", {}).items() if key.startswith("ssl")}
    return {"dbname": connections["default"].settings_dict["NAME"], **params, **ssl}


def _program(name: str, server_version: int) -> Path:
    """The program of this name that is not older than the server: the system's, else the packaged one."""
    folders = [] if settings.EMBEDDED else [Path(found).parent for found in [shutil.which(name)] if found]
    with contextlib.suppress(embedded.EmbeddedError):
        folders.append(embedded.psql_path().parent)
    for folder in folders:
        shown = subprocess.run([folder / name, "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"(\d+)\.\d+", shown)
        if version and int(version[1]) >= server_version // 10000:
            return folder / name
    raise BackupError(f"No {name} of PostgreSQL {server_version // 10000} or newer was found.")


def _run(name: str, database: Mapping[str, Any], *arguments: str | Path, server_version: int) -> None:
    target = psycopg.conninfo.make_conninfo(**_params(database))
    # The password is not an argument, which other users of the machine could read.
    environment = os.environ | {"PGPASSWORD": database["PASSWORD"] or ""}
    command = [_program(name, server_version), "--no-password", f"--dbname={target}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{name} failed: {done.stderr.strip()}")


def back_up(folder: Path) -> Path:
    """Write a backup below a folder, named by its time in UTC. Returns its path. Raises BackupError."""
    database = reader_settings()
    at = datetime.now(UTC)
    path = folder / f"missionsite-{at:%Y%m%dT%H%M%SZ}"
    unfinished = path.with_suffix(".unfinished")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished.mkdir(mode=0o700)
    try:
        with connect(database) as session:
            session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            session.read_only = True
            row = session.execute("SELECT pg_export_snapshot()").fetchone()
            description = Description.read(session)
            options = (*DUMP_OPTIONS, f"--snapshot={row[0] if row else ''}", f"--file={unfinished / DUMP}")
            _run("pg_dump", database, *options, server_version=session.info.server_version)
        # After the dump: a document is written after the commit of its row.
        number = _write_documents(unfinished / DOCUMENTS)
        (unfinished / ERASURES).write_text(json.dumps(recorded_erasures(), indent=1))
        digests = {name: _digest(unfinished / name) for name in (DUMP, DOCUMENTS, ERASURES)}
        manifest = {"made_at": at.isoformat(timespec="seconds"), "documents": number, "sha256": digests}
        (unfinished / MANIFEST).write_text(json.dumps(manifest | {"database": asdict(description)}, indent=1))
        for each in unfinished.iterdir():
            with open(each, "rb") as file:
                os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return path


def prune(folder: Path, *, keep: int) -> list[Path]:
    """Delete all but the newest backups of a folder. Returns the deleted ones."""
    found = sorted(each for each in folder.glob("missionsite-*Z") if (each / MANIFEST).exists())
    old = found[:-keep]
    for each in old:
        shutil.rmtree(each)
    return old


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a backup whose files are as they were written. Raises BackupError."""
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        for name, digest in manifest["sha256"].items():
            if _digest(path / name) != digest:
                raise BackupError(f"{path / name} is damaged: its SHA-256 is not the one in {MANIFEST}.")
    except (OSError, ValueError, KeyError) as error:
        raise BackupError(f"{path} is not a complete backup: {error}") from error
    return manifest


def restore(path: Path) -> list[str]:
    """Restore a backup into the empty database of the settings, and its documents. Returns the differences.

    The roles must exist (missionsite/embedded/roles.sql). Other documents are left as they are. Raises BackupError for
    a damaged backup and for a database with tables, before anything is changed.
    """
    manifest, database, reader = read_manifest(path), owner_settings(), reader_settings()
    with connect(database) as session:
        row = session.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        if row and row[0]:
            raise BackupError(f"The database has {row[0]} tables. Restore into an empty one; nothing was changed.")
        version = session.info.server_version
    options = ("--exit-on-error", "--single-transaction", path / DUMP)
    _run("pg_restore", database, *options, server_version=version)
    with connect(database) as session:
        # pg_dump has no statistics before PostgreSQL 18.
        session.execute("ANALYZE")
    with connect(reader) as session:
        found = Description(**manifest["database"]).differences(Description.read(session))
    number = _read_documents(path / DOCUMENTS)
    if number != manifest["documents"]:
        found.append(f"documents: {manifest['documents']}, restored {number}")
    return found


def erasures_of(path: Path) -> dict[str, str]:
    """The erasures that a backup lists: times by ID of the directory's entry. Raises BackupError."""
    read_manifest(path)
    return json.loads((path / ERASURES).read_text())


def _write_documents(target: Path) -> int:
    store, number = storages["documents"], 0
    with tarfile.open(target, "w") as archive:
        for name in documents.names():
            with store.open(name) as file:
                content = file.read()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o640
            entry.mtime = documents.modified_at(name).timestamp()
            archive.addfile(entry, io.BytesIO(content))
            number += 1
    return number


def _read_documents(source: Path) -> int:
    with tarfile.open(source) as archive:
        number = 0
        for name, content in _files(archive):
            documents.write(name, content)
            number += 1
        return number


def _files(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for entry in archive:
        file = archive.extractfile(entry) if entry.isfile() else None
        if file is None:
            raise BackupError(f"{DOCUMENTS} has an entry that is not a file: {entry.name}")
        # documents.write rejects names that lead elsewhere.
        yield entry.name, file.read()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
