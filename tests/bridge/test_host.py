"""The host route: reasons, warnings, records, policies, tracers."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import scipy.signal

import sci
from sci import linalg, signal, special
from sci.bridge import Reason


@pytest.fixture(autouse=True)
def _clean():
    sci.clear_fallbacks()
    yield
    sci.clear_fallbacks()


def here():
    return sys._getframe(1).f_lineno


def test_a_host_call_warns_once_and_is_counted():
    with pytest.warns(sci.FallbackWarning, match="scipy.signal.hilbert.*no JAX implementation") as caught:
        for _ in range(3):
            line = here() + 1
            signal.hilbert(np.ones(4))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    (record,) = sci.fallbacks()
    assert (record.function, record.reason, record.count) == ("scipy.signal.hilbert", Reason.NOT_NATIVE, 3)
    assert record.where == f"{__file__}:{line}"


def test_native_functions_name_the_option_that_sent_them_to_the_host():
    with pytest.warns(sci.FallbackWarning, match="sort="):
        t, _, _ = linalg.schur(np.eye(3), sort="lhp")
    (record,) = sci.fallbacks()
    assert record.reason is Reason.OPTION
    np.testing.assert_array_equal(t, scipy.linalg.schur(np.eye(3), sort="lhp")[0])


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.eye(2, dtype=np.longdouble), Reason.LONGDOUBLE),
        (np.array([[2, 0], [0, 3]], dtype=object), Reason.OBJECT),
        (np.ma.masked_array(np.eye(2)), Reason.MASKED),
    ],
)
def test_input_that_jax_cannot_represent_goes_to_the_host(array, reason):
    try:
        with pytest.warns(sci.FallbackWarning):
            linalg.expm(array)
    except Exception as error:  # then the original has raised, in its own words
        with pytest.raises(type(error)):
            scipy.linalg.expm(array)
    assert [r.reason for r in sci.fallbacks()] == [reason]


@pytest.mark.parametrize("transform", [jax.jit, jax.grad, jax.vmap])
def test_a_tracer_in_a_host_function_is_an_error_that_says_so(transform):
    with pytest.raises(sci.HostOnlyError, match=r"scipy\.signal\.hilbert.*traced.*no JAX implementation"):
        transform(lambda x: signal.hilbert(x).sum())(jnp.ones(4))
    assert not sci.fallbacks()


def test_a_tracer_with_a_host_only_option_is_an_error_that_says_so():
    with pytest.raises(TypeError, match="sort="):
        jax.jit(lambda a: linalg.schur(a, sort="lhp"))(jnp.eye(2))


def test_concrete_jax_arrays_pass_through_the_host():
    with pytest.warns(sci.FallbackWarning):
        result = signal.hilbert(jnp.ones(4))
    assert isinstance(result, jax.Array)


def test_policy_host_is_a_scope_of_this_thread():
    seen = []
    with sci.policy("host"):
        linalg.det(np.eye(2))
        thread = threading.Thread(target=lambda: seen.append(sci.bridge.current_policy()))
        thread.start()
        thread.join()
        assert sci.bridge.current_policy() == "host"
    assert sci.bridge.current_policy() == "compiled"
    assert seen == ["compiled"]
    assert [r.reason for r in sci.fallbacks()] == [Reason.POLICY]


def test_policy_host_does_not_warn():
    with warnings.catch_warnings(), sci.policy("host"):
        warnings.simplefilter("error")
        linalg.det(np.eye(2))


def test_set_policy_and_the_environment():
    sci.set_policy("adaptive")
    try:
        assert linalg.det(np.eye(2)) == 1.0
        assert not sci.fallbacks()
    finally:
        sci.set_policy("compiled")
    with pytest.raises(ValueError, match="'fast'; allowed are 'compiled', 'adaptive', 'host'"):
        sci.set_policy("fast")
    with pytest.raises(ValueError, match="allowed are"), sci.policy("fast"):
        pass
    code = "import sci; print(sci.bridge.current_policy())"
    for value, status in (("host", 0), ("nonsense", 1)):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**__import__("os").environ, "SCI_POLICY": value},
            capture_output=True,
            text=True,
        )
        assert done.returncode == status
        assert value in done.stdout + done.stderr


def test_host_ufuncs_keep_their_attributes():
    name = next(n for n in ("mathieu_a", "pdtr", "wofz") if getattr(getattr(special, n), "__host__", False))
    function = getattr(special, name)
    original = getattr(scipy.special, name)
    assert (function.nin, function.nout, function.types) == (original.nin, original.nout, original.types)
    with pytest.warns(sci.FallbackWarning):
        function(*[1.0] * function.nin)


def test_host_functions_pickle_by_name():
    import pickle

    assert pickle.loads(pickle.dumps(signal.hilbert)) is signal.hilbert
    assert pickle.loads(pickle.dumps(linalg.solve)) is linalg.solve
