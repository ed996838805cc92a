"""Every registered function has documentation whose example runs."""

from __future__ import annotations

import doctest
import pickle

import numpy as np
import pytest

import sci
from sci.bridge import load_all

ENTRIES = [pytest.param(e, id=n) for n, e in sorted(load_all().items())]


@pytest.mark.parametrize("entry", ENTRIES)
def test_docstring_example_runs(entry):
    text = entry.function.__doc__
    assert "Examples\n" in text and ">>>" in text, "a public function shows one short example"
    test = doctest.DocTestParser().get_doctest(text, {"np": np, "sci": sci}, entry.name, None, 0)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    report = []
    doctest.DocTestRunner(optionflags=flags, verbose=False).run(test, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("entry", ENTRIES)
def test_has_examples(entry):
    assert entry.examples is not None and entry.examples(), "an operation declares example inputs"


@pytest.mark.parametrize("entry", ENTRIES)
def test_pickle_finds_it(entry):
    assert pickle.loads(pickle.dumps(entry.function)) is entry.function
