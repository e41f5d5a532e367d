"""Variants of JUnit XML: roots, nesting, encodings, and specialties of tools."""

import io

import pytest

from missiondeck.reports import read_report
from tests.missiondeck.reports.helpers import case, only, read, rejected, statuses

GO = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" errors="0" time="1.502000">
	<testsuite tests="3" failures="1" time="0.402000" name="example.org/ledger" timestamp="2025-11-05T10:00:00Z">
		<properties><property name="go.version" value="go1.23.2 linux/amd64"></property></properties>
		<testcase classname="example.org/ledger" name="TestAdd" time="0.000000"></testcase>
		<testcase classname="example.org/ledger" name="TestAdd/negative" time="0.000000">
			<failure message="Failed" type="">=== RUN   TestAdd/negative&#xA;    add_test.go:9: got 1</failure>
		</testcase>
		<testcase classname="example.org/ledger" name="TestSlow" time="0.000000">
			<skipped message="=== RUN   TestSlow&#xA;    slow_test.go:4: short&#xA;--- SKIP"></skipped>
		</testcase>
	</testsuite>
</testsuites>
"""

PHPUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="/app/phpunit.xml" tests="4" assertions="3" errors="1" failures="1" skipped="1" time="0.031">
    <testsuite name="unit" tests="4" assertions="3" errors="1" failures="1" skipped="1" time="0.031">
      <testsuite name="Tests\\PriceTest" file="/app/tests/PriceTest.php" tests="4" assertions="3" errors="1"
                 failures="1" skipped="1" time="0.031">
        <testsuite name="Tests\\PriceTest::testAdds" tests="2" assertions="2" errors="0" failures="1" skipped="0"
                   time="0.012">
          <testcase name="testAdds with data set #0" file="/app/tests/PriceTest.php" line="9"
                    class="Tests\\PriceTest" classname="Tests.PriceTest" assertions="1" time="0.010"/>
          <testcase name="testAdds with data set #1" class="Tests\\PriceTest" classname="Tests.PriceTest" time="0.002">
            <failure type="PHPUnit\\Framework\\ExpectationFailedException">Tests\\PriceTest::testAdds
Failed asserting that 2 matches expected 3.

/app/tests/PriceTest.php:12</failure>
          </testcase>
        </testsuite>
        <testcase name="testThrows" class="Tests\\PriceTest" time="0.001">
          <error type="RuntimeException">RuntimeException: no price</error>
        </testcase>
        <testcase name="testSkips" class="Tests\\PriceTest" time="0"><skipped/></testcase>
      </testsuite>
    </testsuite>
  </testsuite>
</testsuites>
"""

GTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" disabled="1" errors="0" time="0.01" timestamp="2025-11-05T10:00:00" name="AllTests">
  <testsuite name="Ledger" tests="4" failures="1" disabled="1" skipped="1" errors="0" time="0.01">
    <testcase name="Adds" file="ledger.cc" line="3" status="run" result="completed" time="0." classname="Ledger"/>
    <testcase name="Subtracts" status="run" result="completed" time="0.01" classname="Ledger">
      <failure message="ledger.cc:9&#x0A;Expected equality" type=""><![CDATA[ledger.cc:9
Expected equality]]></failure>
      <failure message="ledger.cc:10&#x0A;Value of: open" type=""><![CDATA[ledger.cc:10
Value of: open]]></failure>
    </testcase>
    <testcase name="DISABLED_Closes" status="notrun" result="suppressed" time="0." classname="Ledger"/>
    <testcase name="Skips" status="run" result="skipped" time="0." classname="Ledger">
      <skipped message="ledger.cc:20&#x0A;no disk"><![CDATA[ledger.cc:20
no disk]]></skipped>
    </testcase>
  </testsuite>
</testsuites>
"""

NEXTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="3" failures="1" errors="0" uuid="0" timestamp="2025-11-05T10:00:00Z" time="0.9">
  <testsuite name="ledger::unit" tests="3" disabled="0" errors="0" failures="1">
    <testcase name="adds" classname="ledger::unit" time="0.4"><system-out>running 1 test
</system-out><system-err></system-err></testcase>
    <testcase name="flakes" classname="ledger::unit" time="0.1">
      <flakyFailure timestamp="2025-11-05T10:00:00Z" time="0.2" type="test failure" message="panicked at ledger.rs:7">
thread panicked<system-out>first try</system-out><system-err>panicked</system-err></flakyFailure>
      <system-out>second try</system-out>
    </testcase>
    <testcase name="breaks" classname="ledger::unit" time="0.3">
      <failure type="test failure" message="panicked at ledger.rs:9">panicked</failure>
      <rerunFailure time="0.3" type="test failure">panicked again<system-out>again</system-out></rerunFailure>
    </testcase>
  </testsuite>
</testsuites>
"""


def test_go_report_is_read():
    report = read(GO)

    assert statuses(report) == {"TestAdd": "passed", "TestAdd/negative": "failed", "TestSlow": "skipped"}
    assert report.results[1]["error"] == "Failed"
    assert report.results[1]["traceback"].startswith("=== RUN   TestAdd/negative\n    add_test.go:9")
    assert (report.name, report.summary["duration"], report.warning_texts) == ("example.org/ledger", 1.502, [])


@pytest.mark.seed("001 odd and hostile reports: the right result or a clear rejection, memory bounded")
def test_phpunit_nested_suites_are_read():
    report = read(PHPUNIT)

    first, second, third, _skipped = report.results
    assert [each["status"] for each in report.results] == ["passed", "failed", "error", "skipped"]
    assert first["suite"] == r"/app/phpunit.xml > unit > Tests\PriceTest > Tests\PriceTest::testAdds"
    assert third["suite"] == r"/app/phpunit.xml > unit > Tests\PriceTest"
    assert (first["classname"], third["classname"]) == ("Tests.PriceTest", r"Tests\PriceTest")
    # The file of the suite is that of its tests.
    assert second["file"] == "/app/tests/PriceTest.php"
    assert second["error"] == r"Tests\PriceTest::testAdds"
    assert "Failed asserting that 2 matches expected 3." in second["traceback"]
    assert (third["error"], "traceback" in third) == ("RuntimeException: no price", False)
    assert (report.summary["duration"], report.warning_texts) == (0.031, [])


def test_gtest_failures_of_one_test_are_merged():
    report = read(GTEST)

    assert list(statuses(report).values()) == ["passed", "failed", "skipped", "skipped"]
    assert report.results[1]["error"] == "ledger.cc:9\nExpected equality\nledger.cc:10\nValue of: open"
    assert report.warning_texts == []


def test_nextest_retries_are_read():
    report = read(NEXTEST)

    adds, flakes, breaks = report.results
    assert adds["output"] == "running 1 test"
    assert (flakes["status"], flakes["flaky"], flakes["retries"]) == ("passed", True, 1)
    assert flakes["error"] == "panicked at ledger.rs:7"
    assert "first try" in flakes["output"]
    assert flakes["output"].endswith("second try")
    assert (breaks["status"], breaks["retries"], "flaky" in breaks) == ("failed", 1, False)
    assert report.warning_texts == []


def test_suite_can_be_root():
    report = read('<testsuite name="s" time="2"><testcase name="a" time="0.5"/></testsuite>')

    assert only(report) == {"name": "a", "status": "passed", "suite": "s", "duration": 0.5}
    assert (report.name, report.summary["duration"]) == ("s", 2.0)


def test_test_can_be_root():
    assert only(read('<testcase name="a" classname="b"/>')) == {"name": "a", "status": "passed", "classname": "b"}


def test_namespaces_and_case_are_ignored():
    report = read(
        '<j:TestSuites xmlns:j="urn:junit"><j:TestSuite name="s"><j:testCase name="a"><j:Failure message="m"/>'
        "</j:testCase></j:TestSuite></j:TestSuites>"
    )

    assert only(report)["status"] == "failed"
    assert only(report)["error"] == "m"


def test_name_is_taken_from_root_or_first_suite():
    inside = '<testsuite name="first"><testcase name="a"/></testsuite><testsuite name="second"/>'

    assert read(f'<testsuites name="root">{inside}</testsuites>').name == "root"
    assert read(f"<testsuites>{inside}</testsuites>").name == "first"
    assert read('<testsuite><testcase name="a"/></testsuite>').name == ""


def test_duration_is_stated_or_summed():
    tests = '<testcase name="a" time="1.5"/><testcase name="b" time="0.25"/>'

    assert read(f"<testsuite>{tests}</testsuite>").summary["duration"] == 1.75
    assert read(f'<testsuites><testsuite time="3">{tests}</testsuite><testsuite>{tests}</testsuite></testsuites>'
                ).summary["duration"] == 4.75  # fmt: skip
    assert read(f'<testsuites time="9"><testsuite>{tests}</testsuite></testsuites>').summary["duration"] == 9
    assert read(f'<testsuite time="0.000">{tests}</testsuite>').summary["duration"] == 1.75


def test_outputs_of_test_and_suite_are_kept():
    report = read(
        '<testsuites name="r"><testsuite name="s"><testcase name="a"><system-out>out\n</system-out>'
        "<system-err>err\n</system-err></testcase><system-out>suite out\n</system-out><system-err> </system-err>"
        "</testsuite><system-err>root err</system-err></testsuites>"
    )

    assert only(report)["output"] == "out\n\n[system-err]\nerr"
    assert report.logs == "=== s: system-out ===\nsuite out\n\n=== r: system-err ===\nroot err"


def test_properties_and_attachments_are_neutral():
    report = read(case(
        '<properties><property name="owner">Alice</property></properties>'
        "<system-out>seen [[ATTACHMENT|/etc/passwd]]</system-out><attachments>x.png</attachments>"
    ))  # fmt: skip

    assert only(report)["status"] == "passed"
    assert only(report)["output"] == "seen [[ATTACHMENT|/etc/passwd]]"
    assert report.warning_texts == []


def test_unnamed_test_takes_name_of_class():
    report = read('<testsuite name="s"><testcase classname="C" name=""/><testcase/></testsuite>')

    assert [each["name"] for each in report.results] == ["C", "s"]
    assert report.warning_texts == ["2 tests have no name; the first is C, line 1."]


def test_empty_suites_are_accepted_with_others():
    report = read('<testsuites><testsuite name="empty" tests="0"/><testsuite name="s"><testcase name="a"/></testsuite>'
                  "</testsuites>")  # fmt: skip

    assert only(report)["status"] == "passed"
    assert report.warning_texts == []


@pytest.mark.parametrize("text", ["<testsuites/>", '<testsuites tests="3"><testsuite name="s"/></testsuites>'])
def test_report_without_tests_has_no_results(text):
    report = read(text)

    assert (report.results, report.summary["total"]) == ([], 0)
    assert report.warning_texts[-1].startswith("The report contains no tests, so the run failed.")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_encodings_are_read(encoding):
    declared = encoding.removesuffix("-sig").removesuffix("-le").removesuffix("-be").replace("cp", "windows-")
    text = f'<?xml version="1.0" encoding="{declared}"?>\n' + case('<failure message="zu groß"/>')
    bom = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""

    assert only(read((bom + text).encode(encoding)))["error"] == "zu groß"


def test_blank_lines_before_declaration_are_accepted():
    text = '\ufeff\n\n <?xml version="1.0"?>\n<testsuite>\n<testcase name="a"/>\n</testsuites>'

    assert "in line 6: a closing tag does not match the open element" in rejected(text)
    assert only(read(text.replace("</testsuites>", "</testsuite>")))["status"] == "passed"


def test_progress_is_reported():
    calls = []
    data = b"<testsuite>" + b"<testcase name='a'/>" * 10_000 + b"</testsuite>"

    read_report(io.BytesIO(data), progress=calls.append)

    assert calls == sorted(calls)
    assert calls[-1] == len(data)
