"""NumPy callables as JAX functions: `to_jax`.

How a function becomes one, and where to look:

1. `lift` takes the callable apart: numbers and arrays it captured become leaves, the rest a hashable
   description. Equal descriptions share everything below (`api`, `entry`, `cache`).
2. `rebuild` builds a clone from the description, with shims (`shims/`) for NumPy, SciPy, `math`,
   builtins, copies of the user's classes (`classes`) and containers that refuse writes (`frozen`).
3. `tape` runs the clone on dual values (`values`, `arrays`): a NumPy witness, computed by NumPy itself,
   beside a node of the tape. Branches are explored one path at a time; branching helpers are settled
   where they are called (`merge`).
4. `emit` writes the tapes of all paths as one JAX function and checks shapes and types per node.
5. `nested` records calls of solvers (`solve_ivp`, `quad`, `root`, `minimize`, `curve_fit`): the user's function
   becomes a piece of the tape (`nested_record`, `nested_code`) which our registered function calls in JAX.
6. `verify` compares it with the original through NumPy (`interp`), not through a compiler.

Anything else ends in a `TraceError`, which names file, line and reason.
"""

from . import by_hand_writes as _by_hand_writes  # noqa: F401 (fills the tables)
from . import operators as _operators  # noqa: F401 (installs the operators)
from .api import TracedFunction, to_jax
from .convert import as_array
from .errors import TraceError, TraceReason

__all__ = ["TraceError", "TraceReason", "TracedFunction", "as_array", "to_jax"]
