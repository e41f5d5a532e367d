"""docs/features.md lists each feature once, with its state and an existing test."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| (\*\*yes\*\*|\*part\*|no)(?:: [^|]+)? \| (?:`(tests/[\w/]+\.py)` )?\|$", re.M)


def test_each_feature_has_a_state_and_a_test():
    text = (CHECKOUT / "docs" / "features.md").read_text(encoding="utf-8")
    rows = ROW.findall(text)
    assert [int(number) for number, _state, _test in rows] == list(range(1, len(rows) + 1))
    assert len(rows) == len(re.findall(r"^\| \d", text, re.M)) > 100
    for number, state, test in rows:
        assert (state == "no") == (not test), number
        assert not test or (CHECKOUT / test).is_file(), test
