"""The XML formats of test reports, detected by the root element."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from missiondeck.reports.collector import Collector
from missiondeck.reports.junit import JunitReader
from missiondeck.reports.nunit import NunitReader
from missiondeck.reports.report import Part, ReportRejected
from missiondeck.reports.robot import RobotReader
from missiondeck.reports.stream import Source
from missiondeck.reports.trx import TrxReader
from missiondeck.reports.values import short
from missiondeck.reports.xmlstream import Handler, ReportHandler, Xml, local_name
from missiondeck.reports.xunitnet import XunitReader
from missionsite.common.annotations import StrOrPromise

_READERS: dict[str, type[ReportHandler]] = {
    "testsuites": JunitReader,
    "testsuite": JunitReader,
    "testcase": JunitReader,
    "testrun": TrxReader,
    "test-run": NunitReader,
    "test-results": NunitReader,
    "assemblies": XunitReader,
    "assembly": XunitReader,
    "robot": RobotReader,
}
_OTHER_REPORTS: dict[str, StrOrPromise] = {
    "testng-results": _("a TestNG report"),
    "coverage": _("a coverage report"),
    "checkstyle": _("a Checkstyle report"),
    "html": _("a page of HTML"),
}


def read_xml(*, head: bytes, lines: int, source: Source, collector: Collector) -> Part:
    """Add the results of the source to the collector. head: bytes already read. lines: the number of lines before."""
    root = _Root(collector)
    root.xml = xml = Xml(root, lines=lines)
    xml.read(head, source)
    if xml.cleaner and xml.cleaner.has_wrong_bytes:
        collector.warnings.count("wrong_bytes")
    elif xml.cleaner and xml.cleaner.replaced:
        collector.warnings.count("not_xml")
    reader = root.reader
    return Part(reader.name, reader.source, reader.seconds)


class _Root(Handler):
    """Chooses the reader at the root element."""

    xml: Xml
    reader: ReportHandler

    def __init__(self, collector: Collector) -> None:
        super().__init__()
        self._collector = collector

    def startElement(self, name, attrs):
        # Qt Test writes this spelling, with results in elements that JUnit does not have.
        is_qt = name == "TestCase"
        known = None if is_qt else _READERS.get(local_name(name))
        if known is None:
            what = _("a Qt Test report") if is_qt else _OTHER_REPORTS.get(local_name(name))
            raise ReportRejected(
                gettext(
                    "This is %(what)s: the root element is <%(name)s>. Configure the tool to write JUnit XML and upload"
                    " that file."
                )
                % {"what": what or gettext("not a test report"), "name": short(name)}
            )
        self.reader = known(self.xml, self._collector)
        self.xml.switch(self.reader)
        self.reader.startElement(name, attrs)
