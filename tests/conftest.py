"""What all tests share: room for compiled code, no records of earlier tests, and the fixture `native`."""

from __future__ import annotations

import gc
import itertools

import pytest

from sci.bridge.cache import memory_maps

_MOST_MAPS = 30_000
#: Tracing makes millions of small objects that live on: Python's default looks through them all every 700 new ones.
gc.set_threshold(20_000, 20, 50)
_tests = itertools.count(1)


def pytest_collection_modifyitems(items):
    """All contract checks of a function follow each other: what the first compiles serves the others.

    With ``--dist worksteal`` a worker runs neighbours. The mark `xdist_group` has no effect with pytest 9.
    """
    places = [i for i, item in enumerate(items) if "entry" in getattr(getattr(item, "callspec", None), "params", ())]
    ordered = sorted((items[i] for i in places), key=lambda item: item.callspec.params["entry"].name)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


@pytest.fixture(autouse=True)
def room_for_compiled_code():
    """Thousands of executables fill the table of memory maps (65,530 on Linux), and XLA crashes when it is full."""
    yield
    if next(_tests) % 20 == 0 and memory_maps() > _MOST_MAPS:
        import jax

        import sci

        sci.clear_caches()
        jax.clear_caches()
        gc.collect()


@pytest.fixture(autouse=True)
def no_records():
    """What a test finds in `sci.fallbacks` is its own."""
    import sci

    sci.clear_fallbacks()


@pytest.fixture
def native():
    """The test fails if one of its calls ran on the original."""
    import sci

    yield
    assert not sci.fallbacks()
