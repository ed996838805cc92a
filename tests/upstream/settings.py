"""What the runner tells the plugin: one JSON file, named by an environment variable.

A file, since the lists of test ids are longer than an environment variable may be.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

#: The environment variable that holds the path of the file.
VARIABLE = "SCIJAX_UPSTREAM_SETTINGS"


@dataclass
class Settings:
    """How one pytest subprocess runs.

    Attributes
    ----------
    events : str
        The file that receives one JSON line per event, so that a crash loses nothing.
    swap : list of str
        Public dotted names of SciPy (``scipy.linalg.solve``) that the tests get from us.
    sample, seed : int
        Every `sample`-th test of each file runs; `seed` shifts which.
    skip : list of str
        Ids of tests that have run already (after a crash).
    test_limit : float
        Seconds for one test.
    """

    events: str
    swap: list[str] = field(default_factory=list)
    sample: int = 1
    seed: int = 0
    skip: list[str] = field(default_factory=list)
    test_limit: float = 60.0

    def chosen(self, tests: list[str]) -> set[str]:
        """Which of the collected ids run: at least one of each file, whose name decides where the sample starts."""
        by_file: dict[str, list[str]] = defaultdict(list)
        for test in tests:
            by_file[test.partition("::")[0]].append(test)
        kept: set[str] = set()
        for file, ids in by_file.items():
            step = min(self.sample, len(ids))
            kept |= set(ids[(zlib.crc32(PurePosixPath(file).name.encode()) + self.seed) % step :: step])
        return kept - set(self.skip)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: str | Path) -> Settings:
        return cls(**json.loads(Path(path).read_text()))
