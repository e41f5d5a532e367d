"""Reads the XML of xUnit.net, versions 1 to 3. Source: xunit.net/docs/format-xml-v2 and format-xml-v3."""

from missiondeck.reports.elements import ERROR, FAILED, PASSED, SKIPPED, ElementReader, Test
from missiondeck.reports.values import Text, short

_RESULTS = {"pass": PASSED, "fail": FAILED, "skip": SKIPPED, "notrun": SKIPPED}


class XunitReader(ElementReader):
    source = "xunit"
    texts = frozenset({"message", "stack-trace", "reason", "output", "warning"})

    def __init__(self, xml, collector) -> None:
        super().__init__(xml, collector)
        self._assembly = self._collection = ""
        self._test: Test | None = None
        # An error of a fixture or of an assembly.
        self._error: Test | None = None
        self._stated = 0
        self._assembly_seconds = 0.0

    def start(self, name, attrs):
        match name:
            case "assembly":
                self._assembly = (attrs.get("name") or "").replace("\\", "/").rpartition("/")[2]
                self.name = self.name or self.collector.name(self._assembly)
                self._stated += self.count(attrs, "failed", "errors") or 0
                self._assembly_seconds += self.duration(attrs.get("time"), self._assembly) or 0
                self.stated_seconds = self._assembly_seconds
            case "collection" | "class":
                self._collection = attrs.get("name") or ""
            case "test":
                self._test = test = self.test(name=attrs.get("name") or "")
                test.classname = attrs.get("type") or ""
                test.file = attrs.get("source-file") or ""
                test.status = self.verdict(_RESULTS, attrs.get("result") or "", test.name)
                test.duration = self.duration(attrs.get("time"), test.name)
            case "error" if not self._test:
                self._error = self.test(name=attrs.get("name") or self._assembly)
                self._error.output.add(short(attrs.get("type") or ""))
            case "failure":
                target = self._test or self._error
                if self._test and self._test.status == PASSED:
                    self._test.status = ERROR
                if target and (kind := attrs.get("exception-type")):
                    target.traceback.add(f"{kind}\n")

    def end(self, name, text):
        if name == "test" and self._test:
            self.add(self._test, [self._assembly, self._collection])
            self._test = None
        elif name == "error" and self._error:
            self.add(self._error, [self._assembly])
            self._error = None
        elif name in ("collection", "class"):
            self._collection = ""
        elif text and (target := self._test or self._error):
            self._add_text(target, name, text)

    def finish(self):
        self.check_failures(self._stated)

    def _add_text(self, target: Test, name: str, text: Text) -> None:
        match name:
            case "message" if "reason" in self.path[:-1]:
                # Version 1.
                target.error.add_text(text)
            case "message":
                target.error.add_text(text)
            case "reason":
                target.error.add_text(text)
            case "stack-trace":
                target.traceback.add_text(text)
            case "output":
                target.output.add_text(text)
            case "warning":
                target.output.add_block(f"[warning] {text.value()}\n")
