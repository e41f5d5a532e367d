"""A local IMAP server over TLS with one folder, read-only: what MailboxReader uses of RFC 9051.

with imap_server() as server:
    server.messages[7] = b"From: ..."
    MailboxReader(server.url, server.context)
"""

import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "a long password"


class ImapServer:
    """messages: by UID. old: UIDs of messages that arrived long ago. hangs_up_at: UID of a FETCH that ends the
    connection, once. commands: every command after the log-in."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.messages: dict[int, bytes] = {}
        self.old: set[int] = set()
        self.uid_validity = 1
        self.hangs_up_at = 0
        self.commands: list[str] = []
        self.context = context
        self.url = ""


class _Session(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        state: ImapServer = self.server.state  # type: ignore[attr-defined]
        self._write(b"* OK [CAPABILITY IMAP4rev1] test")
        for line in self.rfile:
            tag, _space, command = line.decode().strip().partition(" ")
            verb = command.upper()
            done = "OK done"
            if verb.startswith("CAPABILITY"):
                self._write(b"* CAPABILITY IMAP4rev1")
            elif verb.startswith("LOGIN"):
                done = "OK done" if f'"{PASSWORD}"' in command else "NO [AUTHENTICATIONFAILED] wrong password"
            elif verb.startswith("LOGOUT"):
                self._write(b"* BYE", f"{tag} OK done".encode())
                return
            else:
                state.commands.append(command)
                if verb.startswith("EXAMINE"):
                    done = self._examine(state, command)
                elif verb.startswith("UID SEARCH"):
                    self._write(b"* SEARCH " + " ".join(map(str, self._found(state, verb))).encode())
                elif verb.startswith("UID FETCH"):
                    uid = int(verb.split()[2])
                    if uid == state.hangs_up_at:
                        state.hangs_up_at = 0
                        return
                    self._fetch(uid, state.messages.get(uid))
                else:
                    done = "BAD unknown command"
            self._write(f"{tag} {done}".encode())

    def _examine(self, state: ImapServer, command: str) -> str:
        if "INBOX" not in command:
            return "NO no such folder"
        self._write(
            f"* {len(state.messages)} EXISTS".encode(),
            f"* OK [UIDVALIDITY {state.uid_validity}] valid".encode(),
            f"* OK [UIDNEXT {max(state.messages, default=0) + 1}] next".encode(),
        )
        return "OK [READ-ONLY] done"

    @staticmethod
    def _found(state: ImapServer, verb: str) -> list[int]:
        if found := re.search(r"UID (\d+):\*$", verb):
            first, last = int(found[1]), max(state.messages, default=0)
            # As the standard asks: "*" is the last message, in either order.
            return [uid for uid in state.messages if uid >= min(first, last)]
        return [uid for uid in state.messages if uid not in state.old]

    def _fetch(self, uid: int, message: bytes | None) -> None:
        if message is not None:
            head = f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(message)}}}".encode()
            self.wfile.write(head + b"\r\n" + message + b")\r\n")

    def _write(self, *lines: bytes) -> None:
        self.wfile.write(b"".join(line + b"\r\n" for line in lines))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """The client closed the connection."""


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    with TemporaryDirectory() as folder:
        certificate = _certificate(Path(folder))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        state = ImapServer(ssl.create_default_context(cafile=str(certificate)))
        with _Server(("127.0.0.1", 0), _Session) as server:
            server.state = state  # type: ignore[attr-defined]
            server.socket = tls.wrap_socket(server.socket, server_side=True)
            password = PASSWORD.replace(" ", "%20")
            state.url = f"imaps://replies%40example.org:{password}@localhost:{server.server_address[1]}/INBOX"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            thread.start()
            try:
                yield state
            finally:
                with suppress(OSError):
                    server.shutdown()
                thread.join(5)


def _certificate(folder: Path) -> Path:
    """Write a certificate of localhost with its key; return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return file
