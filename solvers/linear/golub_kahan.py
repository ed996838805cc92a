"""Least squares by Golub-Kahan bidiagonalisation: LSQR and LSMR.

Both minimise ``|A x - b|^2 + damp^2 |x|^2`` for any shape and rank, from products with A and its adjoint alone, and
end by the tests of their references: compatible systems by `atol` and `btol`, least-squares problems by `atol`, and
the condition number by `conlim`.

References
----------
C. C. Paige, M. A. Saunders, "LSQR: an algorithm for sparse linear equations and sparse least squares", ACM TOMS 8,
1982.
D. C.-L. Fong, M. A. Saunders, "LSMR: an iterative algorithm for sparse least-squares problems", SIAM J. Sci. Comput.
33, 2011.
"""

import jax.numpy as jnp
from jax import lax

from solvers.linear.krylov import norm

__all__ = ["lsmr", "lsqr"]


def _over(a, b):
    """``a / b``, 0 where b is."""
    return jnp.where(b == 0, 0, a / jnp.where(b == 0, 1, b))


def _sym_ortho(a, b):
    """Stable Givens rotation of real a, b: c, s, r with c a + s b = r."""
    r = jnp.hypot(a, b)
    return jnp.where(r == 0, 1, _over(a, r)), _over(b, r), r


def _start(apply, adjoint, b, x0):
    u = b - apply(x0)
    beta = norm(u)
    u = _over(u, beta)
    v = adjoint(u)
    alpha = norm(v)
    return u, _over(v, alpha), alpha, beta


def _bidiagonalise(apply, adjoint, u, v, alpha):
    u = apply(v) - alpha * u
    beta = norm(u)
    u = _over(u, beta)
    v = adjoint(u) - beta * v
    alpha = norm(v)
    return u, _over(v, alpha), alpha, beta


def _stop(k, limit, test1, test2, test3, atol, rtol, ctol):
    """SciPy's ``istop``, the most specific reason first; 0 while the iteration goes on."""
    code = jnp.where(k >= limit, 7, 0)
    for number, holds in (
        (6, 1 + test3 <= 1), (5, 1 + test2 <= 1), (4, 1 + test1 <= 1), (3, test3 <= ctol), (2, test2 <= atol),
        (1, test1 <= rtol),
    ):  # fmt: skip
        code = jnp.where(holds, number, code)
    return code


def lsqr(apply, adjoint, b, x0, damp, atol, btol, conlim, limit):
    """LSQR.

    Returns
    -------
    dict
        ``x``, ``istop``, ``itn``, ``r1norm``, ``r2norm``, ``anorm``, ``acond``, ``arnorm``, ``xnorm``, ``var``.
    """
    u, v, alpha, beta = _start(apply, adjoint, b, x0)
    real = beta.dtype
    zero = jnp.zeros((), real)
    b_norm = norm(b)
    ctol = jnp.where(conlim > 0, 1 / jnp.where(conlim > 0, conlim, 1), 0)
    state = {
        "itn": jnp.asarray(0), "istop": jnp.asarray(0), "x": x0, "u": u, "v": v, "w": v,
        "alpha": alpha, "rhobar": alpha, "phibar": beta, "anorm": zero, "ddnorm": zero, "res2": zero, "xnorm": zero,
        "xxnorm": zero, "z": zero, "cs2": -jnp.ones((), real), "sn2": zero, "acond": zero, "r1norm": beta,
        "r2norm": beta, "arnorm": alpha * beta, "var": jnp.zeros(x0.shape, real), "done": alpha * beta == 0,
    }  # fmt: skip

    def step(s):
        u, v, alpha, beta = _bidiagonalise(apply, adjoint, s["u"], s["v"], s["alpha"])
        anorm = jnp.sqrt(s["anorm"] ** 2 + s["alpha"] ** 2 + beta**2 + damp**2)
        rhobar1 = jnp.hypot(s["rhobar"], damp)
        c1, s1 = _over(s["rhobar"], rhobar1), _over(damp, rhobar1)
        psi, phibar = s1 * s["phibar"], c1 * s["phibar"]
        cs, sn, rho = _sym_ortho(rhobar1, beta)
        theta, rhobar = sn * alpha, -cs * alpha
        phi, phibar, tau = cs * phibar, sn * phibar, sn * cs * phibar
        dk = _over(s["w"], rho)
        x = s["x"] + _over(phi, rho) * s["w"]
        ddnorm = s["ddnorm"] + jnp.real(jnp.vdot(dk, dk))
        delta, gambar = s["sn2"] * rho, -s["cs2"] * rho
        rhs = phi - delta * s["z"]
        xnorm = jnp.sqrt(s["xxnorm"] + _over(rhs, gambar) ** 2)
        gamma = jnp.hypot(gambar, theta)
        z = _over(rhs, gamma)
        acond = anorm * jnp.sqrt(ddnorm)
        res2 = s["res2"] + psi**2
        rnorm = jnp.sqrt(phibar**2 + res2)
        arnorm = alpha * jnp.abs(sn * _over(tau, sn))
        r1sq = rnorm**2 - damp**2 * (s["xxnorm"] + z * z)
        r1norm = jnp.where(r1sq < 0, -1, 1) * jnp.sqrt(jnp.abs(r1sq))
        test1, test2 = _over(rnorm, b_norm), _over(arnorm, anorm * rnorm + jnp.finfo(real).tiny)
        test3 = 1 / (acond + jnp.finfo(real).eps)
        shrunk = _over(test1, 1 + _over(anorm * xnorm, b_norm))
        rtol = btol + atol * _over(anorm * xnorm, b_norm)
        itn = s["itn"] + 1
        code = _stop(itn, limit, shrunk, test2, test3, atol, -jnp.inf, ctol)
        code = jnp.where(test1 <= rtol, 1, code)
        return {
            "itn": itn, "istop": code, "x": x, "u": u, "v": v, "w": v - _over(theta, rho) * s["w"], "alpha": alpha,
            "rhobar": rhobar, "phibar": phibar, "anorm": anorm, "ddnorm": ddnorm, "res2": res2, "xnorm": xnorm,
            "xxnorm": s["xxnorm"] + z * z, "z": z, "cs2": _over(gambar, gamma), "sn2": _over(theta, gamma),
            "acond": acond, "r1norm": r1norm, "r2norm": rnorm, "arnorm": arnorm,
            "var": s["var"] + jnp.abs(dk) ** 2, "done": code != 0,
        }  # fmt: skip

    s = lax.while_loop(lambda s: ~s["done"], step, state)
    names = ("x", "istop", "itn", "r1norm", "r2norm", "anorm", "acond", "arnorm", "xnorm", "var")
    return {name: s[name] for name in names}


def lsmr(apply, adjoint, b, x0, damp, atol, btol, conlim, limit):
    """LSMR.

    Returns
    -------
    dict
        ``x``, ``istop``, ``itn``, ``normr``, ``normar``, ``norma``, ``conda``, ``normx``.
    """
    u, v, alpha, beta = _start(apply, adjoint, b, x0)
    real = beta.dtype
    zero, one = jnp.zeros((), real), jnp.ones((), real)
    b_norm = norm(b)
    ctol = jnp.where(conlim > 0, 1 / jnp.where(conlim > 0, conlim, 1), 0)
    state = {
        "itn": jnp.asarray(0), "istop": jnp.asarray(0), "x": x0, "u": u, "v": v, "h": v, "hbar": jnp.zeros_like(v),
        "alpha": alpha, "zetabar": alpha * beta, "alphabar": alpha, "rho": one, "rhobar": one, "cbar": one,
        "sbar": zero, "betadd": beta, "betad": zero, "rhodold": one, "tautildeold": zero, "thetatilde": zero,
        "zeta": zero, "d": zero,
        "norma2": alpha**2, "maxrbar": zero, "minrbar": jnp.asarray(1e100 if real == jnp.float64 else 1e30, real),
        "norma": alpha, "conda": one, "normx": norm(x0), "normr": beta, "normar": alpha * beta,
        "done": alpha * beta == 0,
    }  # fmt: skip

    def step(s):
        u, v, alpha, beta = _bidiagonalise(apply, adjoint, s["u"], s["v"], s["alpha"])
        chat, shat, alphahat = _sym_ortho(s["alphabar"], damp)
        rho_old = s["rho"]
        c, sn, rho = _sym_ortho(alphahat, beta)
        theta, alphabar = sn * alpha, c * alpha
        rhobar_old, zeta_old = s["rhobar"], s["zeta"]
        theta_bar, rho_temp = s["sbar"] * rho, s["cbar"] * rho
        cbar, sbar, rhobar = _sym_ortho(s["cbar"] * rho, theta)
        zeta, zetabar = cbar * s["zetabar"], -sbar * s["zetabar"]
        hbar = s["h"] - _over(theta_bar * rho, rho_old * rhobar_old) * s["hbar"]
        x = s["x"] + _over(zeta, rho * rhobar) * hbar
        h = v - _over(theta, rho) * s["h"]
        betaacute, betacheck = chat * s["betadd"], -shat * s["betadd"]
        betahat, betadd = c * betaacute, -sn * betaacute
        theta_tilde_old = s["thetatilde"]
        ctilde, stilde, rho_tilde = _sym_ortho(s["rhodold"], theta_bar)
        theta_tilde, rhod = stilde * rhobar, ctilde * rhobar
        betad = -stilde * s["betad"] + ctilde * betahat
        tau_tilde = _over(zeta_old - theta_tilde_old * s["tautildeold"], rho_tilde)
        taud = _over(zeta - theta_tilde * tau_tilde, rhod)
        d = s["d"] + betacheck**2
        normr = jnp.sqrt(d + (betad - taud) ** 2 + betadd**2)
        norma2 = s["norma2"] + beta**2
        norma = jnp.sqrt(norma2)
        maxrbar = jnp.maximum(s["maxrbar"], rhobar_old)
        minrbar = jnp.where(s["itn"] > 0, jnp.minimum(s["minrbar"], rhobar_old), s["minrbar"])
        conda = jnp.maximum(maxrbar, rho_temp) / jnp.minimum(minrbar, rho_temp)
        normar, normx = jnp.abs(zetabar), norm(x)
        test1 = _over(normr, b_norm)
        test2 = jnp.where(norma * normr == 0, jnp.inf, _over(normar, norma * normr))
        test3 = 1 / conda
        shrunk = _over(test1, 1 + _over(norma * normx, b_norm))
        rtol = btol + atol * _over(norma * normx, b_norm)
        itn = s["itn"] + 1
        code = _stop(itn, limit, shrunk, test2, test3, atol, -jnp.inf, ctol)
        code = jnp.where(test1 <= rtol, 1, code)
        return {
            "itn": itn, "istop": code, "x": x, "u": u, "v": v, "h": h, "hbar": hbar, "alpha": alpha, "zetabar": zetabar,
            "alphabar": alphabar, "rho": rho, "rhobar": rhobar, "cbar": cbar, "sbar": sbar, "betadd": betadd,
            "betad": betad, "rhodold": rhod, "tautildeold": tau_tilde, "thetatilde": theta_tilde, "zeta": zeta, "d": d,
            "norma2": norma2 + alpha**2, "maxrbar": maxrbar, "minrbar": minrbar, "norma": norma, "conda": conda,
            "normx": normx, "normr": normr, "normar": normar, "done": code != 0,
        }  # fmt: skip

    s = lax.while_loop(lambda s: ~s["done"], step, state)
    return {name: s[name] for name in ("x", "istop", "itn", "normr", "normar", "norma", "conda", "normx")}
