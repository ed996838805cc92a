"""``python -m sci``: scripts, doctor, coverage, bench."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sci.accelerate import Profile, Verifier

__all__ = ["main"]

_USAGE = """python -m sci [options] SCRIPT [args ...]
       python -m sci [options] -m MODULE [args ...]
       python -m sci [options] -c COMMAND [args ...]
       python -m sci doctor
       python -m sci coverage [--json] [MODULE]
       python -m sci bench [TOPIC ...]"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sci",
        usage=_USAGE,
        description="Run an unmodified script with SciPy's functions computed by JAX.",
    )
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module as a script")
    parser.add_argument("-c", dest="command", metavar="COMMAND", help="run a command")
    parser.add_argument(
        "--policy", choices=("compiled", "adaptive", "host"),
        help="which engine calls use; adaptive by default (cold and cheap calls stay on SciPy), compiled for "
        "reproducible runs",
    )  # fmt: skip
    parser.add_argument("--profile", action="store_true", help="print at the end what ran where, and how long it took")
    parser.add_argument("--line-profile", action="store_true", help="the same, with the calling lines")
    parser.add_argument("--json", "--profile-json", dest="json", metavar="FILE", help="write the profile as JSON")
    parser.add_argument(
        "--verify", action="store_true", help="run every call on the original too and report differences"
    )
    parser.add_argument(
        "--include", metavar="PACKAGE", action="append", default=[],
        help="an installed package whose calls are redirected as well; may be given several times",
    )  # fmt: skip
    return parser


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own options, and what belongs to the script: everything from its name on."""
    own: list[str] = []
    rest = list(argv)
    with_value = ("--policy", "--profile-json", "--json", "--include")
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        own.append(option)
        if option in with_value and rest:
            own.append(rest.pop(0))
        if option in ("-m", "-c"):
            if rest:
                own.append(rest.pop(0))
            break
    return own, rest


def main(argv: Sequence[str]) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str
        The arguments behind ``python -m sci``.

    Returns
    -------
    int
        Exit status. A script's own exit (``SystemExit``, exceptions) passes through.
    """
    own, rest = _split(argv)
    options = _parser().parse_args(own)
    if options.module is None and options.command is None:
        if not rest:
            _parser().print_usage(sys.stderr)
            return 2
        # a script of that name in the folder wins only if it is a file: `doctor` has no ending
        commands = {"doctor": _doctor, "coverage": _coverage, "bench": _bench}
        if rest[0] in commands and not Path(rest[0]).is_file():
            return commands[rest[0]](rest[1:])
        if not Path(rest[0]).exists():
            print(f"python -m sci: there is no script or command {rest[0]!r}", file=sys.stderr)
            return 2
    return _run(options, rest)


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    from sci.accelerate import Profile, Verifier, observe, run_command, run_module, run_script
    from sci.bridge.policy import set_policy, suggest_policy

    # every call must run on ours to be compared
    policy = options.policy or ("compiled" if options.verify else None)
    if policy:
        set_policy(policy)
    else:
        suggest_policy("adaptive")
    verifier = Verifier() if options.verify else None
    profile = None
    if options.profile or options.line_profile or options.json:
        profile = Profile(verifier.call if verifier else None)
    observe(profile.observe if profile else verifier.call if verifier else None)
    try:
        if options.module is not None:
            run_module(options.module, rest, options.include)
        elif options.command is not None:
            run_command(options.command, rest, options.include)
        else:
            run_script(rest[0], rest[1:], options.include)
    finally:
        observe(None)
        _report(options, profile, verifier)
    return 0


def _report(options: argparse.Namespace, profile: Profile | None, verifier: Verifier | None) -> None:
    if profile is not None and options.json:
        Path(options.json).write_text(profile.to_json(), encoding="utf-8")
    if profile is not None and (options.profile or options.line_profile):
        from sci.accelerate.report import print_profile

        print_profile(profile, options.line_profile)
    if verifier is not None:
        from sci.accelerate.report import print_verification

        print_verification(verifier)


def _doctor(args: Sequence[str]) -> int:
    from sci.cli.doctor import doctor

    argparse.ArgumentParser(prog="python -m sci doctor", description="Check this installation.").parse_args(args)
    return doctor()


def _coverage(args: Sequence[str]) -> int:
    from sci.cli.coverage import print_coverage

    parser = argparse.ArgumentParser(
        prog="python -m sci coverage", description="What is native, what runs on the original, what is absent."
    )
    parser.add_argument("module", nargs="?", help="as scipy.linalg, linalg, skimage.filters or cv2; all by default")
    parser.add_argument("--json", action="store_true", help="a JSON list, one record a name")
    options = parser.parse_args(args)
    return print_coverage(options.module, options.json)


def _bench(args: Sequence[str]) -> int:
    root = Path(__file__).resolve().parents[2]
    if not (root / "benchmarks" / "__main__.py").exists():
        print("python -m sci bench: the benchmarks are part of the repository, not of the wheel", file=sys.stderr)
        return 2
    import subprocess

    return subprocess.run([sys.executable, "-m", "benchmarks", *args], cwd=root, check=False).returncode
