"""``python -m benchmarks [TOPIC ...] [--quick] [--output FILE]``"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# They pick a slow BLAS kernel on some machines; OpenBLAS reads them when NumPy is loaded.
_SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def _start_clean() -> None:
    """Start this process anew without the variables that slow BLAS down."""
    if any(name in os.environ for name in _SLOWING):
        environment = {k: v for k, v in os.environ.items() if k not in _SLOWING}
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks", *sys.argv[1:]], environment)


def _options(argv: list[str], names: tuple[str, ...]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Ours against the originals, side by side in one process."
    )
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--quick", action="store_true", help="three rounds at reduced sizes: do the benchmarks run?")
    parser.add_argument("--only", metavar="TEXT", help="entries whose name contains TEXT")
    parser.add_argument("--output", metavar="FILE", help="write the tables there; a full run writes RESULTS.md")
    options = parser.parse_args(argv)
    if unknown := [t for t in options.topics if t not in names]:
        parser.error(f"topic {unknown[0]!r}; allowed are {', '.join(names)}")
    return options


def main(argv: list[str]) -> int:
    """Run the chosen topics; 1 if an entry failed to run, 0 otherwise (a missed target is a result)."""
    from benchmarks.topics import NAMES, load

    options = _options(argv, NAMES)
    import warnings

    from tqdm import tqdm

    import sci
    from benchmarks import machine, report
    from benchmarks.harness import run

    warnings.simplefilter("ignore", sci.FallbackWarning)  # shown in the tables instead
    facts = machine.facts()
    for key, value in facts.items():
        print(f"{key}: {value}")
    chosen = [load(name) for name in options.topics or NAMES]
    work = [(t, e) for t in chosen for e in t.entries.values() if not options.only or options.only in e.name]
    measured: dict[str, list] = {t.name: [] for t in chosen}
    with tqdm(work, unit="entry", dynamic_ncols=True) as bar:
        for topic, entry in bar:
            bar.set_description(f"{topic.name}: {entry.name}"[:60])
            measured[topic.name].append(run(topic, entry, options.quick))
    for topic in chosen:
        report.print_topic(topic, measured[topic.name])
    everything = [r for results in measured.values() for r in results]
    print(report.summary(everything))
    output = options.output
    if output is None and not (options.topics or options.quick or options.only):
        output = Path(__file__).with_name("RESULTS.md")
    if output is not None:
        text = report.markdown(facts, [(t, measured[t.name]) for t in chosen if measured[t.name]], options.quick)
        Path(output).write_text(text, encoding="utf-8")
        print(f"written to {output}")
    return int(any(r.error for r in everything))


if __name__ == "__main__":
    _start_clean()
    sys.exit(main(sys.argv[1:]))
