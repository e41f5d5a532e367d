"""A local mail server that can be scripted to fail, over real connections.

    with mail_server() as server:
        server.on("RCPT", "550 5.1.1 <ana@example.org>: none of that name")
        server.on("TEXT", HANGS_UP)

A script is a list of answers to a command, each used once; afterwards the command succeeds. CONNECT is the greeting,
TEXT the answer to the text after DATA.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

HANGS_UP = "hangs up"
NEVER_RESPONDS = "says nothing"
DRIPS = "drips"
_WORKS = {
    "CONNECT": "220 test",
    "EHLO": "250-test\r\n250-8BITMIME\r\n250 SIZE 10000000",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    "TEXT": "250 taken",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}


@dataclass
class Mail:
    """An accepted mail and the number of its connection."""

    sender: str
    recipients: list[str]
    text: bytes
    connection: int

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.text, policy=policy.default)


class MailServer:
    def __init__(self) -> None:
        self.taken: list[Mail] = []
        self.connections = 0
        self.commands: list[str] = []
        # Set when a client closes a connection without an answer.
        self.left_waiting = threading.Event()
        self._scripts: dict[str, list[str]] = {}
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.Task] = set()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]

    def on(self, command: str, *answers: str) -> None:
        self._scripts.setdefault(command, []).extend(answers)

    def disconnect(self) -> None:
        """Close every connection, as a server does with idle ones."""
        self._run(self._end_all())

    def stop(self) -> None:
        # In the thread of the loop, to avoid races with connections that are just ending.
        self._run(self._close())
        self.disconnect()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, what):
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _close(self) -> None:
        self._server.close()

    async def _end_all(self) -> None:
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._open.add(task)
        self.connections += 1
        try:
            with suppress(ConnectionError, EOFError, asyncio.IncompleteReadError):
                await self._talk(reader, writer, self.connections)
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _talk(self, reader, writer, number: int) -> None:
        sender, recipients = "", []
        await self._say("CONNECT", reader, writer)
        while line := (await reader.readline()).decode("latin-1").rstrip("\r\n"):
            self.commands.append(line)
            verb = line[:4].upper()
            if verb == "MAIL":
                sender, recipients = line.partition(":")[2], []
            answer = await self._say(verb, reader, writer)
            if verb == "RCPT" and answer.startswith("250"):
                recipients.append(line.partition(":")[2].strip("<> "))
            if verb == "DATA" and answer.startswith("354"):
                text = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
                if not self._scripts.get("TEXT"):
                    # Before the answer, as the test may check as soon as the client has it.
                    self.taken.append(Mail(sender, recipients, text, number))
                await self._say("TEXT", reader, writer)
            if verb == "QUIT" or answer.startswith("421"):
                return

    async def _say(self, command: str, reader, writer) -> str:
        script = self._scripts.get(command)
        answer = script.pop(0) if script else _WORKS.get(command, "500 what?")
        if answer == HANGS_UP:
            raise ConnectionError
        if answer == NEVER_RESPONDS:
            await reader.read(1)
            self.left_waiting.set()
            raise ConnectionError
        while answer == DRIPS:
            # The start of an endless answer.
            writer.write(b"2")
            await writer.drain()
            await asyncio.sleep(0.05)
        writer.write(answer.encode() + b"\r\n")
        await writer.drain()
        return answer


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A running server that accepts every mail."""
    server = MailServer()
    try:
        yield server
    finally:
        server.stop()
