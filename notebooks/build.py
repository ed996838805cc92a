"""Notebooks from readable sources: ``python -m notebooks.build [NAME ...]``.

``src/01_drop_in.py`` (cells separated by ``# %%``, text in ``# %% [markdown]``) becomes
``01-drop-in.ipynb``, executed at full size, outputs kept. Edit the source, never the notebook.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_SECONDS_A_CELL = 300
#: What a notebook may weigh: GitHub renders it, and clones carry it.
_MAX_BYTES = 1_500_000


def cells(source: str) -> Iterator[tuple[str, str]]:
    """Kind ('code' or 'markdown') and text of every cell of a percent-format file."""
    kind, lines = "", []
    for line in [*source.splitlines(), "# %%"]:
        if not line.startswith("# %%"):
            lines.append(line)
            continue
        text = "\n".join(lines).strip("\n")
        if kind and text:
            yield (
                kind,
                "\n".join(t.removeprefix("#").removeprefix(" ") for t in text.split("\n"))
                if (kind == "markdown")
                else text,
            )
        kind, lines = "markdown" if "[markdown]" in line else "code", []


def notebook(source: str) -> Any:
    """The notebook of a source, not executed. Cell ids count, so that a rebuild differs in outputs only."""
    import nbformat

    made = nbformat.v4.new_notebook()
    for number, (kind, text) in enumerate(cells(source)):
        cell = nbformat.v4.new_code_cell(text) if kind == "code" else nbformat.v4.new_markdown_cell(text)
        cell["id"] = f"cell-{number}"
        made.cells.append(cell)
    made.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "execution": {"timeout": _SECONDS_A_CELL},  # nbmake's
    }
    return made


def _without_times(made: Any) -> None:
    """Drop when each cell ran: it changes with every build."""
    for cell in made.cells:
        cell.metadata.pop("execution", None)


def build(source: Path) -> Path:
    """Execute a source and write its notebook.

    Raises
    ------
    RuntimeError
        If the result is too large to keep.
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    import nbformat
    from nbclient import NotebookClient
    from tqdm import tqdm

    made = notebook(source.read_text(encoding="utf-8"))
    client = NotebookClient(made, timeout=_SECONDS_A_CELL, resources={"metadata": {"path": str(_HERE)}})
    with client.setup_kernel(), tqdm(made.cells, desc=source.stem, unit="cell") as bar:
        for index, cell in enumerate(bar):
            client.execute_cell(cell, index)
    _without_times(made)
    nbformat.validate(made)
    target = _HERE / (source.stem.replace("_", "-") + ".ipynb")
    nbformat.write(made, target)
    if target.stat().st_size > _MAX_BYTES:
        raise RuntimeError(f"{target} has {target.stat().st_size} bytes; allowed are {_MAX_BYTES}")
    return target


def main(argv: list[str]) -> int:
    """Build the named notebooks, or all."""
    sources = sorted((_HERE / "src").glob("*.py"))
    parser = argparse.ArgumentParser(prog="python -m notebooks.build", description="Build the notebooks.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(s.stem for s in sources)}; all by default")
    options = parser.parse_args(argv)
    if unknown := set(options.names) - {s.stem for s in sources}:
        parser.error(f"there is no {unknown.pop()!r}; allowed are {', '.join(s.stem for s in sources)}")
    os.environ.pop("SCI_NOTEBOOK_SMALL", None)
    for source in sources:
        if not options.names or source.stem in options.names:
            print(f"wrote {build(source)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
