"""XML piece by piece and within bounds: no document type, no deep nesting, no huge tag, not ever more names."""

from xml.parsers import expat
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler, property_interning_dict

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from missiondeck.reports.clean import Cleaner
from missiondeck.reports.report import MIB, ReportRejected
from missiondeck.reports.stream import PIECE, Source, format_size

# One start tag, comment or processing instruction, which the parser has to hold whole.
TAG_BYTES = 2 * MIB
# Different names of elements and attributes, which the parser keeps to the end, and their characters together.
NAMES = 2_000
NAMES_CHARACTERS = 200_000

_AGAIN = "Upload the report again as the tool wrote it."
_WRONG = {
    expat.errors.XML_ERROR_TAG_MISMATCH: "a tag closes an element that is not the open one",
    expat.errors.XML_ERROR_UNDEFINED_ENTITY: "an entity is used that XML does not have",
    expat.errors.XML_ERROR_INVALID_TOKEN: "a character is not allowed there in XML",
    expat.errors.XML_ERROR_BAD_CHAR_REF: "a character reference names a character XML does not allow",
    expat.errors.XML_ERROR_DUPLICATE_ATTRIBUTE: "an attribute is there twice",
    expat.errors.XML_ERROR_UNKNOWN_ENCODING: "the encoding it declares is not known here; save it in UTF-8",
    expat.errors.XML_ERROR_INCORRECT_ENCODING: "its bytes are not in the encoding it declares; save it in UTF-8",
    expat.errors.XML_ERROR_MISPLACED_XML_PI: "an XML declaration stands in its middle",
}
_ENDS_EARLY = {
    expat.errors.XML_ERROR_NO_ELEMENTS,
    expat.errors.XML_ERROR_UNCLOSED_TOKEN,
    expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    expat.errors.XML_ERROR_PARTIAL_CHAR,
}


class _Parser(DefusedExpatParser):
    """defusedxml's reader, which can also say how much of what it was fed it is still holding."""

    def reset(self) -> None:
        super().reset()
        # Texts in pieces of 8 KiB, not by line.
        self._parser.buffer_text = True
        # Attributes as they are, a dict.
        self._parser.StartElementHandler = self.getContentHandler().startElement
        self._parser.EndElementHandler = self.getContentHandler().endElement

    def start_of_pending(self) -> int:
        """Where in the bytes the tag begins that is not complete yet."""
        return self._parser.CurrentByteIndex


class Xml:
    """Feeds a file to a handler.

    handler: gets startElement, endElement and characters, and says with `begun` and `closed` whether the root has
    begun and ended.
    lines: those before the first byte that is fed.
    """

    def __init__(self, handler: ContentHandler, *, lines: int = 0) -> None:
        self._handler = handler
        self._lines = lines
        self._names = {}
        self._names_seen = 0
        self._fed = 0
        # None before `read`.
        self.cleaner: Cleaner | None = None
        self._parser = _Parser(forbid_dtd=True)
        self._parser.setProperty(property_interning_dict, self._names)
        self._parser.setContentHandler(handler)

    @property
    def line(self) -> int:
        return self._lines + self._parser.getLineNumber()

    def read(self, head: bytes, source: Source) -> None:
        """Parse `head` and then what the source still has.

        Raises ReportRejected, with the line, for what is not well-formed or beyond the bounds.
        """
        try:
            self.cleaner = Cleaner(head)
            self._feed(self.cleaner.clean(head))
            # A tag that is not complete is scanned from its beginning each time: at least doubling what there is of it
            # keeps the work in proportion to the bytes.
            while data := self._whole(source, max(PIECE, self._pending)):
                self._feed(self.cleaner.clean(data))
            self._feed(self.cleaner.clean(b"", final=True))
            self._parser.close()
        except DefusedXmlException as error:
            raise ReportRejected(
                f"Line {self.line} of the report declares a document type or entities, which no test report needs."
                " Remove the <!DOCTYPE …> and upload it again."
            ) from error
        except SAXParseException as error:
            raise self._rejection(error) from error
        except (LookupError, ValueError) as error:
            # Before the root: the encoding is one Python does not have, or that takes several bytes a character.
            if self._handler.begun:
                raise
            raise ReportRejected("The report is in an encoding that cannot be read here. Save it in UTF-8.") from error

    @staticmethod
    def _whole(source: Source, size: int) -> bytes:
        """So many bytes, even from a file that hands out fewer at a time."""
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
                    f"By line {self.line} the report has more different names of elements and attributes, or longer"
                    " ones, than any test report."
                )
        if self._pending > TAG_BYTES:
            raise ReportRejected(
                f"A tag or comment that begins in line {self.line} of the report is longer than"
                f" {format_size(TAG_BYTES)}."
                " Have the tool leave out or shorten long messages."
            )

    def _rejection(self, error: SAXParseException) -> ReportRejected:
        # The library's text of the error; the numbers behind it differ between versions of it.
        what = error.getMessage()
        if self._handler.closed:
            return ReportRejected(
                f"In line {self.line} something follows the end of the report, as if several were put into one file."
                " Upload each report by itself, or have the tool merge them under one <testsuites>."
            )
        if what in _ENDS_EARLY:
            return ReportRejected(f"The report ends too early, in line {self.line}: it is not complete. {_AGAIN}")
        wrong = _WRONG.get(what, what)
        return ReportRejected(f"The report is not well-formed XML, in line {self.line}: {wrong}. {_AGAIN}")
