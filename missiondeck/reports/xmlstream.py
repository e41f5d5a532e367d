"""Parses XML in chunks and within limits: no document type, no huge tags, and a bounded number of names."""

from typing import Any, NoReturn
from xml.parsers import expat
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler, property_interning_dict

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from missiondeck.reports.clean import Cleaner
from missiondeck.reports.collector import Collector
from missiondeck.reports.report import MIB, ReportRejected
from missiondeck.reports.stream import PIECE, Source, format_size

# One start tag, comment or processing instruction, which the parser keeps in memory.
TAG_BYTES = 2 * MIB
# Different names of elements and attributes, which the parser keeps to the end, and their total characters.
NAMES = 2_000
NAMES_CHARACTERS = 200_000
# Nested elements, and elements of a file.
DEPTH = 100
ELEMENTS = 2_000_000

_AGAIN = _("Upload the report again as the tool wrote it.")
_WRONG = {
    expat.errors.XML_ERROR_TAG_MISMATCH: _("a closing tag does not match the open element"),
    expat.errors.XML_ERROR_UNDEFINED_ENTITY: _("an entity is undefined"),
    expat.errors.XML_ERROR_INVALID_TOKEN: _("a character is not allowed there in XML"),
    expat.errors.XML_ERROR_BAD_CHAR_REF: _("a character reference names a character XML does not allow"),
    expat.errors.XML_ERROR_DUPLICATE_ATTRIBUTE: _("an attribute is duplicated"),
    expat.errors.XML_ERROR_UNKNOWN_ENCODING: _("the declared encoding is unknown; save the file in UTF-8"),
    expat.errors.XML_ERROR_INCORRECT_ENCODING: _("bytes are invalid in the declared encoding; save the file in UTF-8"),
    expat.errors.XML_ERROR_MISPLACED_XML_PI: _("an XML declaration is not at the start"),
}
_ENDS_EARLY = {
    expat.errors.XML_ERROR_NO_ELEMENTS,
    expat.errors.XML_ERROR_UNCLOSED_TOKEN,
    expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    expat.errors.XML_ERROR_PARTIAL_CHAR,
}


class _Parser(DefusedExpatParser):
    """The parser of defusedxml, with access to the position of the pending tag."""

    def reset(self) -> None:
        super().reset()
        # Reports text in chunks of 8 KiB, not per line.
        self._parser.buffer_text = True
        self.call(self.getContentHandler())

    def call(self, handler: ContentHandler) -> None:
        """Call this handler from now on, with attributes as a dict."""
        self._parser.StartElementHandler = handler.startElement
        self._parser.EndElementHandler = handler.endElement
        self._parser.CharacterDataHandler = handler.characters

    @property
    def expat(self) -> Any:
        """The parser itself, whose CharacterDataHandler can be replaced."""
        return self._parser

    def start_of_pending(self) -> int:
        """The byte position of the tag that is not complete yet."""
        return self._parser.CurrentByteIndex


class Handler(ContentHandler):
    """Gets startElement, endElement and characters. begun, closed: whether the root has started and ended."""

    begun = False
    closed = False


class Xml:
    """Feeds a file to a handler.

    lines: the number of lines before the first byte.
    """

    def __init__(self, handler: Handler, *, lines: int = 0) -> None:
        self._handler = handler
        self._lines = lines
        self._names: dict[str, str] = {}
        self._names_seen = 0
        self._fed = 0
        # None before `read`.
        self.cleaner: Cleaner | None = None
        self._parser = _Parser(forbid_dtd=True)
        self._parser.setProperty(property_interning_dict, self._names)
        self._parser.setContentHandler(handler)

    def switch(self, handler: Handler) -> None:
        """Feed the rest of the file to another handler."""
        self._handler = handler
        self._parser.call(handler)

    @property
    def parser(self) -> Any:
        """The parser of expat. A handler may replace its CharacterDataHandler."""
        return self._parser.expat

    @property
    def is_clean(self) -> bool:
        """Whether names and texts that the handler gets have no characters that need cleaning."""
        return self.cleaner is not None and self.cleaner.is_unicode

    @property
    def line(self) -> int:
        return self._lines + self._parser.getLineNumber()

    def read(self, head: bytes, source: Source) -> None:
        """Parse `head` and then the rest of the source.

        Raises ReportRejected, with the line, if the XML is not well-formed or exceeds a limit.
        """
        try:
            self.cleaner = Cleaner(head)
            self._feed(self.cleaner.clean(head))
            # An incomplete tag is scanned again from its start each time. Doubling the chunk size keeps the work
            # proportional to the number of bytes.
            while data := self._whole(source, max(PIECE, self._pending)):
                self._feed(self.cleaner.clean(data))
            self._feed(self.cleaner.clean(b"", final=True))
            self._parser.close()
        except DefusedXmlException as error:
            raise ReportRejected(
                gettext(
                    "Line %(line)s of the report declares a document type or entities, which are not allowed."
                    " Remove the <!DOCTYPE …> and upload it again."
                )
                % {"line": self.line}
            ) from error
        except SAXParseException as error:
            raise self._rejection(error) from error
        except (LookupError, ValueError) as error:
            # Before the root: the encoding is unknown to Python or uses several bytes per character.
            if self._handler.begun:
                raise
            raise ReportRejected(gettext("The encoding of the report is not supported. Save it in UTF-8.")) from error

    @staticmethod
    def _whole(source: Source, size: int) -> bytes:
        """Read `size` bytes, even from a file that returns fewer per read."""
        pieces = []
        while size > 0 and (data := source.read(size)):
            pieces.append(data)
            size -= len(data)
        return b"".join(pieces)

    @property
    def _pending(self) -> int:
        return self._fed - max(0, self._parser.start_of_pending())

    def _feed(self, data: bytes) -> None:
        self._fed += len(data)
        self._parser.feed(data)
        if len(self._names) != self._names_seen:
            self._names_seen = len(self._names)
            if self._names_seen > NAMES or sum(map(len, self._names)) > NAMES_CHARACTERS:
                raise ReportRejected(
                    gettext(
                        "By line %(line)s the report has too many or too long names of elements and attributes."
                        " This is not a test report."
                    )
                    % {"line": self.line}
                )
        if self._pending > TAG_BYTES:
            raise ReportRejected(
                gettext(
                    "A tag or comment that starts in line %(line)s of the report is longer than %(tag_bytes)s."
                    " Configure the tool to shorten long messages."
                )
                % {"line": self.line, "tag_bytes": format_size(TAG_BYTES)}
            )

    def _rejection(self, error: SAXParseException) -> ReportRejected:
        # The message of the library; its error numbers differ between versions.
        what = error.getMessage()
        if self._handler.closed:
            return ReportRejected(
                gettext(
                    "Line %(line)s follows the end of the report. If it is other output, write the report to a file of"
                    " its own; upload several reports as several files, or merge them under one <testsuites>."
                )
                % {"line": self.line}
            )
        if what in _ENDS_EARLY:
            return ReportRejected(
                gettext("The report is incomplete: it ends in line %(line)s. %(advice)s")
                % {"line": self.line, "advice": _AGAIN}
            )
        wrong = _WRONG.get(what, what)
        return ReportRejected(
            gettext("The report is not well-formed XML, in line %(line)s: %(wrong)s. %(advice)s")
            % {"line": self.line, "wrong": wrong, "advice": _AGAIN}
        )


class ReportHandler(Handler):
    """Reads one format: adds results to the collector.

    source: the name of the format, a value of RunSource. name: that of the report, once it was read.
    """

    source: str
    name = ""

    def __init__(self, xml: Xml, collector: Collector) -> None:
        super().__init__()
        self.xml = xml
        self.collector = collector
        self.elements = 0

    @property
    def seconds(self) -> float:
        """The duration of the report, once it was read."""
        return 0.0

    def check_limits(self, depth: int) -> None:
        """Count an element. depth: the number of its enclosing elements. Raises ReportRejected."""
        self.elements += 1
        if self.elements > ELEMENTS or depth >= DEPTH:
            self.reject_size(depth)

    def reject_size(self, depth: int) -> NoReturn:
        if depth >= DEPTH:
            raise ReportRejected(
                gettext("In line %(line)s more than %(depth)s elements are nested. This is not a test report.")
                % {"line": self.xml.line, "depth": DEPTH}
            )
        raise ReportRejected(
            gettext("The report has more than %(elements)s elements, by line %(line)s. Split it into several runs.")
            % {"elements": f"{ELEMENTS:,}", "line": self.xml.line}
        )


def local_name(name: str) -> str:
    """The name of an element without namespace and case."""
    return name.rpartition(":")[2].lower()
