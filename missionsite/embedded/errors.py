"""What can go wrong with the embedded server, in words for the person who started it."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot do what was asked; the message says why and what to do next."""
