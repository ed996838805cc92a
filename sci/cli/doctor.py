"""``python -m sci doctor``: is this installation sound?"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Callable

__all__ = ["doctor"]

_PACKAGES = (
    "jax", "jaxlib", "numpy", "scipy", "diffrax", "optimistix", "lineax", "equinox", "scikit-image",
    "opencv-python-headless", "opencv-python",
)  # fmt: skip


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def miscompiled_matvec() -> bool:
    """jax issue 39103: vmap of a small matvec followed by a reduction. True where right."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    for n, dtype in ((16385, np.float64), (32769, np.float32)):
        with jax.enable_x64(True):
            a = np.linspace(-1, 1, 9, dtype=dtype).reshape(3, 3)
            x = np.sin(np.arange(3 * n, dtype=dtype)).reshape(n, 3)
            got = jax.jit(lambda a, x: jnp.sum(jax.vmap(lambda v: a @ v)(x) ** 2))(a, x)
        expected = np.sum((x.astype(float) @ a.T.astype(float)) ** 2)
        if abs(float(got) - expected) > 1e-3 * abs(expected):
            return False
    return True


def high_rank_reduction() -> bool:
    """jax issue 39257: reductions of arrays of rank 7 and 8. True where right."""
    import jax.numpy as jnp
    import numpy as np

    x = np.arange(2.0**8, dtype=np.float32).reshape((2,) * 8)
    return bool(np.allclose(jnp.sum(jnp.asarray(x), axis=(1, 3, 5)), x.sum(axis=(1, 3, 5))))


def update_in_loop() -> bool:
    """jax issue 40101: ``.at[].set`` inside a loop. True where the numbers are right."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    out = jax.lax.fori_loop(0, 100, lambda i, x: x.at[i].set(2.0 * i), jnp.zeros(100))
    return bool(np.array_equal(out, 2.0 * np.arange(100)))


#: Known faults of jaxlib builds, run again here.
CHECKS: dict[str, Callable[[], bool]] = {
    "matvec under vmap, then a reduction (jax 39103)": miscompiled_matvec,
    "reductions of rank 8 (jax 39257)": high_rank_reduction,
    "updates inside loops (jax 40101)": update_in_loop,
}


def doctor() -> int:
    """Print versions, paths, devices, settings and the re-run of known faults.

    Returns
    -------
    int
        0 if everything is in order, 1 otherwise.
    """
    import jax

    import sci
    from sci.bridge import current_policy
    from sci.bridge.platform import STATE, package_paths
    from sci.cli.tables import print_table

    print_table(
        "versions",
        ("package", "version"),
        [("python", platform.python_version()), ("scijax", sci.__version__), *((p, _version(p)) for p in _PACKAGES)],
    )
    # `import sci` has refused to go on if one of these is not ours
    print_table("packages", ("name", "path"), [(k, v or "missing") for k, v in package_paths().items()])
    settings = [
        ("devices", ", ".join(map(str, jax.devices()))),
        ("policy", current_policy()),
        ("allocator", STATE.get("allocator", "?")),
        ("loops", STATE.get("loops", "?")),
        ("dispatch", STATE.get("dispatch", "?")),
        ("compilation cache", STATE.get("compilation_cache", "?")),
        ("platform", f"{platform.platform()}, {sys.executable}"),
    ]
    print_table("settings", ("what", "value"), settings)
    results = [(name, check()) for name, check in CHECKS.items()]
    print_table("known faults of jaxlib", ("check", "result"), [(n, "right" if ok else "WRONG") for n, ok in results])
    return 0 if all(ok for _, ok in results) else 1
