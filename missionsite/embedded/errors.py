"""The error of the embedded server."""


class EmbeddedError(Exception):
    """An operation of the embedded PostgreSQL failed; the message has the reason and a remedy."""
