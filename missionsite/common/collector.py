"""How often Python's garbage collector runs.

The site is half a million objects that are never freed. Going through all of them takes 0.1 s, in the middle of a
request. Source: Python documentation, gc.freeze().
"""

import gc

# Objects made since the last collection, and collections of younger objects before those of older ones.
THRESHOLDS = (50_000, 20, 50)


def collect_rarely() -> None:
    """Let the collector run less often, and leave out what exists by now. Call it at the end of starting."""
    gc.set_threshold(*THRESHOLDS)
    gc.collect()
    gc.freeze()
