"""The document store: no access outside its folder, and no partial documents."""

import ctypes
import os
import random
import select
import signal
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, InMemoryStorage, storages
from django.utils import timezone

from missionsite.common import documents, tasks
from missionsite.common.documents import BadDocumentName, DocumentTooLarge, LocalDocuments, NoSuchDocument
from tests.support.s3 import empty, s3_server

SECRET = b"outside the folder"


def use(settings, backend: str, **options) -> None:
    settings.STORAGES = settings.STORAGES | {"documents": {"BACKEND": backend, "OPTIONS": options}}


@pytest.fixture
def root(tmp_path, settings) -> Path:
    """The folder of documents, with a secret file beside it."""
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_bytes(SECRET)
    place = tmp_path / "place" / "documents"
    use(settings, "missionsite.common.documents.LocalDocuments", location=place)
    return place


@pytest.fixture(scope="module")
def s3():
    """The setting of a bucket on a local server."""
    with s3_server() as setting:
        yield setting


@pytest.fixture(params=["folder", "S3"])
def any_store(request, settings):
    """Each storage that the site is meant for, empty."""
    if request.param == "folder":
        request.getfixturevalue("root")
        return
    setting = request.getfixturevalue("s3")
    settings.STORAGES = settings.STORAGES | {"documents": setting}
    empty(setting)


def snapshot(folder: Path) -> dict[str, tuple]:
    """All entries of a folder: kind, content and time of the last write, without following links."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.lstat().st_ino,
            path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else None,
        )
        for path in sorted(folder.rglob("*"))
    }


class TestDocument:
    def test_read_returns_written_content(self, any_store):
        before = timezone.now() - timedelta(seconds=1)
        documents.write("projects/one/plan.json", b"\x00\xff content")
        assert documents.read("projects/one/plan.json") == b"\x00\xff content"
        assert documents.exists("projects/one/plan.json")
        assert before < documents.modified_at("projects/one/plan.json") < timezone.now() + timedelta(seconds=1)

    def test_write_replaces_document(self, any_store):
        documents.write("plan", b"a long first content")
        documents.write("plan", b"short")
        assert documents.read("plan") == b"short"
        assert list(documents.names()) == ["plan"]

    def test_delete_removes_document_and_is_idempotent(self, any_store):
        documents.write("a/plan", b"x")
        documents.delete("a/plan")
        documents.delete("a/plan")
        documents.delete("never/was")
        assert not documents.exists("a/plan")
        assert list(documents.names()) == []

    @pytest.mark.parametrize("ask", [documents.read, documents.modified_at])
    @pytest.mark.parametrize("name", ["missing", "no/such/folder"])
    def test_missing_document_raises(self, any_store, ask, name):
        documents.write("other", b"x")
        with pytest.raises(NoSuchDocument):
            ask(name)
        assert not documents.exists(name)

    def test_read_rejects_too_large_document(self, any_store):
        documents.write("plan", b"12345")
        assert documents.read("plan", at_most=5) == b"12345"
        with pytest.raises(DocumentTooLarge, match="larger than 4 bytes"):
            documents.read("plan", at_most=4)

    def test_names_lists_folder_recursively(self, any_store):
        for name in ("b", "a/2", "a/1", "a/deep/er", "ab/1"):
            documents.write(name, b"x")
        assert list(documents.names()) == ["b", "a/1", "a/2", "a/deep/er", "ab/1"]
        assert list(documents.names("a")) == ["a/1", "a/2", "a/deep/er"]
        assert list(documents.names("nothing")) == []

    def test_names_omits_temporary_files(self, root):
        documents.write("a/1", b"x")
        (root / "a" / ".part-123").write_bytes(b"left over")
        assert list(documents.names()) == ["a/1"]

    def test_document_is_not_world_readable(self, root):
        was = os.umask(0)
        try:
            documents.write("a/plan", b"x")
        finally:
            os.umask(was)
        assert stat.S_IMODE((root / "a" / "plan").stat().st_mode) == 0o640
        assert stat.S_IMODE((root / "a").stat().st_mode) == 0o750

    def test_errors_have_http_status(self):
        assert (BadDocumentName.status, NoSuchDocument.status, DocumentTooLarge.status) == (422, 404, 422)


UP = ["../secret.txt", "..", ".", "./secret.txt", "a/../../secret.txt", "a/..", "a/./b", "...", "a/.../b", "..a", ".a"]
UP += ["../" * depth + target for depth in range(1, 12) for target in ("secret.txt", "etc/passwd")]
UP += ["a/" + "../" * depth + "outside/secret.txt" for depth in range(1, 8)]
ABSOLUTE = ["/", "//", "/etc/passwd", "//etc/passwd", "/secret.txt", "~/secret.txt", "~root/x", "file:///etc/passwd"]
ABSOLUTE += ["C:/secret.txt", "C:secret.txt", "\\\\host\\share", "//host/share/x", "/dev/null", "/proc/self/environ"]
ENCODED = [quote(name, safe="") for name in ("../secret.txt", "/etc/passwd", "a/../../secret.txt")]
ENCODED += [quote(name, safe="") for name in ENCODED]
ENCODED += [
    each + "secret.txt"
    for each in ("%2e%2e/", "%2e%2e%2f", "..%2f", "%2E%2E%2F", "..%5c", "%c0%ae%c0%ae/", "%c0%af", "%u002e%u002e/")
]
ENCODED += ["..%00/secret.txt", "&#46;&#46;/secret.txt", "..;/secret.txt", "${HOME}/x", "$(id)", "`id`", "..%252fx"]
BACKSLASHES = [name.replace("/", "\\") for name in [*UP[:8], "a/../../secret.txt", "/etc/passwd"]]
BACKSLASHES += ["a\\b", "..\\/secret.txt", "a/..\\..\\secret.txt", "..\\", "\\"]
CONTROL = [f"a{character}b" for character in ("\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u202e")]
CONTROL += ["plan.json\x00.txt", "\x00", "../secret.txt\x00", "plan\n", "\nplan", "plan\r\n", "\ud800", "a\udcffb"]
LOOK_ALIKE = [
    each.join(("..", "secret.txt")) for each in ("\u2215", "\u2044", "\uff0f", "\u29f8", "\uff3c", "\u2216", "\ufe68")
]
LOOK_ALIKE += [
    dots + "/secret.txt" for dots in ("\u2025", "\uff0e\uff0e", "\u2024\u2024", "\u00b7\u00b7", "\u3002\u3002")
]
LOOK_ALIKE += ["pl\u0430n", "plan\u200b", "\ufeffplan", "pla\u0301n", "ﬁle", "名", "Zoë", "\u0665", "²", "\U0001d5ba"]
SPACES = [
    "",
    " ",
    " plan",
    "plan ",
    "a b",
    "a/ /b",
    "..  /secret.txt",
    ".. /secret.txt",
    "\u00a0",
    "a//b",
    "a/",
    "/a",
    "a//",
]
TRAILING = ["plan.", "plan..", "a./b", "a../b", "a/plan.", "plan. ", "plan::$DATA", "plan:stream", "a/b/..../c"]
LONG = [
    "a" * 121,
    "a" * 5000,
    "a/" * 200 + "b",
    "a/" * 10 + "b",
    "/".join(["a" * 100] * 5),
    "a" * 120 + "/" + "b" * 121,
]
SPECIAL = [
    "*",
    "?",
    "a*",
    "[a]",
    "a|b",
    "a;b",
    "a&b",
    "a>b",
    "'a'",
    '"a"',
    "a,b",
    "a=b",
    "a@b",
    "a+b",
    "a#b",
    "{a}",
    "!a",
]
OWN = [".part-1234", "a/.part-1234", ".git/config", ".env", "a/.ssh/id", ".htaccess"]
WRONG_KIND = [None, 5, b"plan", Path("plan"), ["plan"]]
BAD_NAMES = [
    *UP, *ABSOLUTE, *ENCODED, *BACKSLASHES, *CONTROL, *LOOK_ALIKE,
    *SPACES, *TRAILING, *LONG, *SPECIAL, *OWN, *WRONG_KIND,
]  # fmt: skip


def every_function(name) -> list:
    """All functions that take a name."""
    return [
        lambda: documents.write(name, b"intruder"),
        lambda: documents.read(name),
        lambda: documents.exists(name),
        lambda: documents.delete(name),
        lambda: documents.modified_at(name),
        lambda: list(documents.names(name)),
    ]


class TestNames:
    def test_s3_rejects_invalid_names(self, s3, settings):
        settings.STORAGES = settings.STORAGES | {"documents": s3}
        for name in ("../secret.txt", "/etc/passwd", "a/./b", "a//b", "a\x00b"):
            for call in every_function(name):
                with pytest.raises(BadDocumentName):
                    call()

    def test_invalid_names_are_rejected(self, root, tmp_path):
        documents.write("a/plan", b"inside")
        before = snapshot(tmp_path)
        texts = {name for name in BAD_NAMES if isinstance(name, str)}
        assert len(texts) >= 150
        for name in BAD_NAMES:
            for call in every_function(name):
                try:
                    got = call()
                except BadDocumentName:
                    continue
                # The empty folder is the root, and only for a list.
                assert (name, got) == ("", ["a/plan"])
        assert snapshot(tmp_path) == before

    @pytest.mark.parametrize("name", ["../secret.txt", "a/../../secret.txt", "..", "a\x00b", "/etc/passwd", ".part-1"])
    def test_storage_rejects_invalid_names(self, root, tmp_path, name):
        """Code that uses the storage directly."""
        before, store = snapshot(tmp_path), storages["documents"]
        for ask in (store.open, store.exists, store.delete, store.size, store.get_modified_time):
            with pytest.raises(BadDocumentName):
                ask(name)
        assert snapshot(tmp_path) == before

    @pytest.mark.parametrize(
        "name", ["a", "A-b_c.D", "a.b.c", "-", "_", "1/2/3/4/5/6/7/8/9/0", "a" * 120, "a..b", "-rf"]
    )
    def test_valid_names_are_accepted(self, root, name):
        documents.write(name, b"x")
        assert list(documents.names()) == [name]


@pytest.fixture
def links(root, tmp_path) -> list[str]:
    """Names with links of every kind, out of the root and back into it."""
    documents.write("real/plan", b"inside")
    os.symlink(tmp_path / "outside", root / "folder")
    os.symlink("../../outside", root / "relative")
    os.symlink(tmp_path / "secret.txt", root / "file")
    os.symlink(tmp_path / "outside" / "secret.txt", root / "real" / "file")
    os.symlink(tmp_path / "outside" / "new.txt", root / "dangling")
    os.symlink("..", root / "real" / "up")
    os.symlink("real", root / "inside")
    os.symlink("loop", root / "loop")
    os.symlink("/proc/self/cwd", root / "cwd")
    return ["folder/secret.txt", "folder/new.txt", "relative/secret.txt", "file", "real/file", "dangling",
            "real/up/real/plan", "inside/plan", "loop", "loop/x", "cwd/manage.py"]  # fmt: skip


def seen_during_exchange(ask, root: Path, outside: Path, *, expect: set) -> set[bytes | None]:
    """The results of `ask` (None if rejected) while the folder `a` is repeatedly replaced by a link out of the root.

    A thousand rounds at least, and more for as long as something expected was not seen.
    """
    os.symlink(outside, root / "link")
    exchange = ctypes.CDLL(None, use_errno=True).renameat2
    here, swap, over, seen = -100, 2, threading.Event(), set()  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)

    def keep_exchanging() -> None:
        while not over.is_set():
            assert exchange(here, bytes(root / "a"), here, bytes(root / "link"), swap) == 0

    thread = threading.Thread(target=keep_exchanging)
    thread.start()
    try:
        for turn in range(300_000):
            if turn >= 1000 and seen >= expect:
                break
            try:
                seen.add(ask())
            except BadDocumentName:
                seen.add(None)
    finally:
        over.set()
        thread.join()
    return seen


class TestLinks:
    def test_links_are_not_followed(self, links, tmp_path):
        before = snapshot(tmp_path)
        for name in links:
            for call in every_function(name):
                with pytest.raises(BadDocumentName):
                    call()
        assert list(documents.names()) == ["real/plan"]
        assert snapshot(tmp_path) == before

    def test_folder_swapped_for_link_is_not_followed(self, root, tmp_path):
        documents.write("a/secret.txt", b"inside")
        outside = snapshot(tmp_path / "outside")

        def ask() -> bytes:
            documents.write("a/secret.txt", b"inside")
            documents.delete("a/other")
            return documents.read("a/secret.txt")

        both = {b"inside", None}
        assert seen_during_exchange(ask, root, tmp_path / "outside", expect=both) == both
        assert snapshot(tmp_path / "outside") == outside

    def test_control_check_before_use_loses_race(self, root, tmp_path):
        """The negative control of the test above."""
        documents.write("a/secret.txt", b"inside")

        def ask() -> bytes:
            if (root / "a").is_symlink():
                raise BadDocumentName
            return (root / "a" / "secret.txt").read_bytes()

        assert SECRET in seen_during_exchange(ask, root, tmp_path / "outside", expect={SECRET})

    def test_pipe_and_folder_are_rejected_without_blocking(self, root):
        documents.write("a/plan", b"x")
        os.mkfifo(root / "pipe")
        for name in ("pipe", "a"):
            for call in every_function(name)[:5]:
                with pytest.raises(BadDocumentName):
                    call()
        with pytest.raises(BadDocumentName):
            documents.write("a/plan/below", b"x")

    def test_root_may_be_link(self, tmp_path, settings):
        (tmp_path / "disk").mkdir()
        os.symlink(tmp_path / "disk", tmp_path / "link")
        use(settings, "missionsite.common.documents.LocalDocuments", location=tmp_path / "link")
        documents.write("a/plan", b"x")
        (tmp_path / "disk" / "a" / ".part-1").write_bytes(b"")
        assert documents.tidy(timedelta(seconds=-5)) == 1
        assert (tmp_path / "disk" / "a" / "plan").read_bytes() == b"x"


OLD, NEW = b"o" * 3_000_000, b"n" * 2_500_000


def contents_after_kills(store, path: Path, *, rounds: int) -> list[bytes]:
    """The content of a document after each kill of a process that kept replacing it."""
    random.seed(4)
    found = []
    for _ in range(rounds):
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                while True:
                    for content in (OLD, NEW):
                        os.write(writable, b".")
                        store(content)
            finally:
                os._exit(1)
        os.close(writable)
        # Two writes begun: the first is complete.
        for _ in range(2):
            os.read(readable, 1)
        select.select([], [], [], random.uniform(0, 0.008))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        os.close(readable)
        found.append(path.read_bytes())
    return found


class TestCrash:
    def test_killed_writer_leaves_complete_document(self, root):
        documents.write("a/plan", OLD)
        found = contents_after_kills(lambda content: documents.write("a/plan", content), root / "a" / "plan", rounds=60)
        assert set(found) <= {OLD, NEW}
        assert documents.read("a/plan") in (OLD, NEW)
        # What was under way is a temporary file that no list shows.
        left = [path for path in (root / "a").iterdir() if path.name != "plan"]
        assert left
        assert all(path.name.startswith(".part-") for path in left)
        assert list(documents.names()) == ["a/plan"]
        assert documents.tidy(timedelta(hours=1)) == 0
        assert documents.tidy(timedelta(seconds=-5)) == len(left)
        assert os.listdir(root / "a") == ["plan"]

    @pytest.mark.long
    def test_control_write_in_place_leaves_partial_content(self, tmp_path):
        """The negative control of the test above."""
        plain = FileSystemStorage(tmp_path, allow_overwrite=True)

        def store(content: bytes) -> None:
            with plain.open("plan", "wb") as file:
                for start in range(0, len(content), 65_536):
                    file.write(content[start : start + 65_536])

        found = contents_after_kills(store, tmp_path / "plan", rounds=60)
        assert [content for content in found if content not in (OLD, NEW)]

    def test_failed_write_leaves_no_file(self, root):
        class Broken:
            def chunks(self):
                yield b"half"
                raise OSError("the disk is full")

        documents.write("plan", b"old")
        with pytest.raises(OSError, match="full"):
            storages["documents"]._save("plan", Broken())
        assert documents.read("plan") == b"old"
        assert os.listdir(root) == ["plan"]


class TestConcurrency:
    def test_concurrent_readers_see_complete_documents(self, root):
        contents = [bytes([65 + number]) * (200_000 + number) for number in range(8)]
        start, over = threading.Barrier(12), threading.Event()

        def write(content: bytes) -> None:
            start.wait(30)
            for _ in range(25):
                documents.write("new/folder/plan", content)

        def read() -> set[bytes]:
            start.wait(30)
            seen = set()
            while not over.is_set():
                try:
                    seen.add(documents.read("new/folder/plan"))
                except NoSuchDocument:
                    continue
            return seen

        with ThreadPoolExecutor(12) as pool:
            reads = [pool.submit(read) for _ in range(4)]
            try:
                for written in [pool.submit(write, content) for content in contents]:
                    written.result()
            finally:
                over.set()
            seen = set().union(*(each.result() for each in reads))
        assert seen
        assert seen <= set(contents)
        assert os.listdir(root / "new" / "folder") == ["plan"]


class TestTidy:
    def test_tidy_removes_only_old_temporary_files(self, root):
        documents.write("a/b/plan", b"x")
        old = time.time() - 25 * 3600
        for name in (".part-old", "a/.part-old", "a/b/.part-old"):
            (root / name).write_bytes(b"half")
            os.utime(root / name, (old, old))
        os.utime(root / "a" / "b" / "plan", (old, old))
        (root / "a" / ".part-new").write_bytes(b"under way")
        assert tasks.tidy_documents(timestamp=0) == 3
        assert tasks.tidy_documents(timestamp=0) == 0
        assert (root / "a" / ".part-new").exists()
        assert documents.read("a/b/plan") == b"x"

    def test_tidy_without_folder_does_nothing(self, root):
        assert documents.tidy(timedelta(0)) == 0
        assert not root.exists()


class Replacing(InMemoryStorage):
    """A storage without folders that overwrites files, as S3 does."""

    def get_available_name(self, name, max_length=None):
        if self.exists(name):
            self.delete(name)
        return name


class TestOtherBackend:
    def test_other_storage_backend_works(self, settings):
        use(settings, "tests.common.test_documents.Replacing")
        documents.write("a/plan", b"old")
        documents.write("a/plan", b"new")
        assert documents.read("a/plan") == b"new"
        assert list(documents.names()) == list(documents.names("a")) == ["a/plan"]
        assert list(documents.names("nothing")) == []
        assert documents.modified_at("a/plan") <= timezone.now()
        with pytest.raises(DocumentTooLarge):
            documents.read("a/plan", at_most=2)
        with pytest.raises(BadDocumentName):
            documents.read("../a/plan")
        documents.delete("a/plan")
        documents.delete("a/plan")
        with pytest.raises(NoSuchDocument):
            documents.read("a/plan")
        assert documents.tidy(timedelta(0)) == 0

    def test_storage_without_overwrite_is_rejected(self, settings):
        use(settings, "django.core.files.storage.InMemoryStorage")
        documents.write("plan", b"old")
        with pytest.raises(ImproperlyConfigured, match="does not overwrite files"):
            documents.write("plan", b"new")
        assert list(documents.names()) == ["plan"]

    def test_default_storage_is_local(self, settings):
        assert isinstance(storages["documents"], LocalDocuments)
        assert storages["documents"].location == settings.DOCUMENTS_ROOT
