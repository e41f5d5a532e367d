"""Messages as e-mail; to be written."""


class EmailTransport:
    name = "email"
