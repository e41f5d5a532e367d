"""The fence of a worker: a transaction of its jobs commits only while the worker is registered.

Ending the connections of a lost worker needs a way to find them, which a pooler hides, and reaches only a server that
responds. The fence is part of the job's own transaction: before COMMIT it locks the worker's row. If the watchdog has
deleted the row, the transaction rolls back; if the transaction is first, the watchdog waits for it, and requeues the
job afterwards. Statements outside of a transaction are not fenced.
"""

import psycopg

_worker_id: int | None = None


class Fenced(psycopg.OperationalError):
    """This worker was deregistered as lost, so its job may be running elsewhere."""


def close_on_deregistration(worker_id: int) -> None:
    """Fence this process: from now on it commits only while this worker is registered."""
    global _worker_id
    _worker_id = worker_id


def check(connection: psycopg.Connection) -> None:
    """Lock the row of this process's worker until the transaction ends. Raises Fenced if it is gone.

    Does nothing in a process without a fence.
    """
    if _worker_id is None:
        return
    # KEY SHARE conflicts with DELETE, and not with the heartbeat's UPDATE.
    found = connection.execute("SELECT FROM procrastinate_workers WHERE id = %s FOR KEY SHARE", [_worker_id])
    if found.rowcount != 1:
        raise Fenced("This worker was deregistered as lost; its transaction is rolled back.")
