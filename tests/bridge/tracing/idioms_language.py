"""Idioms of the Python language: each function takes (t, y), y of shape (3,)."""

import cmath
import functools
import itertools
import math
import operator
from math import sqrt as root

import numpy as np

K = 2.5
TABLE = [1.0, 0.5, 0.25]
NESTED = {"a": {"k": 1.5}, "b": [2.0, 3.0]}


def helper(x, scale=2.0):
    return scale * np.sin(x) + math.cos(1.0)


def twice(f):
    @functools.wraps(f)
    def g(*args):
        return 2 * f(*args)

    return g


@twice
def decorated(t, y):
    return y * t


def branch(t, y):
    if y[0] > 0:
        return np.array([y[1], -y[0]])
    return np.array([y[1], 0.5 * y[0]])


def early_returns(t, y):
    if y[0] < -1:
        return -1.0
    if y[0] < 0:
        return y[0]
    if y[1] < 0:
        return y[0] * y[1]
    return 1.0 + y[0]


def nested_branches(t, y):
    if y[0] > 0:
        if y[1] > 0:
            r = y[0] * y[1]
        else:
            r = y[0] - y[1]
    else:
        r = y[2] if t > 1 else -y[2]
    return r * 2


def elif_chain(t, y):
    if y[0] > 0.5:
        return 1.0
    elif y[0] > 0:
        return y[0]
    elif y[0] <= 0:
        return -y[1]


def ternary(t, y):
    return y if t < 1 else -y


def chained(t, y):
    return 1.0 if 0 < y[0] < 0.5 else 2.0 * y[1]


def and_or(t, y):
    a = y[0] > 0 and y[1] > 0
    b = y[0] > 1 or y[2] > 0
    return (1.0 if a else 2.0) * (3.0 if b else y[1])


def or_default(t, y):
    return (y[0] > 0 or y[1]) * 1.0


def not_operator(t, y):
    return y[0] if not y[1] > 0 else y[2]


def for_break(t, y):
    s = 0.0
    for i in range(3):
        if y[i] > 0.6:
            break
        s += y[i]
    return s


def for_else(t, y):
    for v in y:
        if v > 0.6:
            r = v
            break
    else:
        r = 0.0
    return r


def for_continue(t, y):
    s = 0.0
    for v in y:
        if v < 0:
            continue
        s = s + math.sqrt(v)
    return s


def newton(t, y):
    x = 1.0 + y[0] ** 2
    for _ in range(12):
        dx = (x * x - 2) / (2 * x)
        x -= dx
        if abs(dx) < 1e-9:
            break
    return x


def while_counter(t, y):
    i, s = 0, 0.0
    while i < len(y):
        s += y[i] * i
        i += 1
    return s


def while_true(t, y):
    n = 0
    x = y[0]
    while True:
        n += 1
        x = 0.5 * (x + 1)
        if n >= 4:
            break
    return x


def comprehension(t, y):
    return [a * b for a, b in zip(y, y[::-1])]


def nested_comprehension(t, y):
    return np.array([[i * v for v in y] for i in range(2)])


def dict_comprehension(t, y):
    d = {i: v**2 for i, v in enumerate(y)}
    return d[0] + d[2]


def generator_sum(t, y):
    return sum(v * v for v in y)


def generator_function(t, y):
    def gen():
        for i in range(3):
            yield y[i] * i

    return sum(gen())


def enumerate_write(t, y):
    out = np.empty(3)
    for i, v in enumerate(y):
        out[i] = v * (1 - t)
    return out


def reversed_loop(t, y):
    return [v + 0 for v in reversed(y)]


def map_lambda(t, y):
    return np.array(list(map(math.sin, y)))


def filter_constant(t, y):
    return sum(y[i] for i in filter(lambda i: i != 1, range(3)))


def reduce_product(t, y):
    return functools.reduce(operator.mul, y, 1.0)


def accumulate_list(t, y):
    return list(itertools.accumulate(y))


def product_loop(t, y):
    return sum(y[i] * y[j] for i, j in itertools.product(range(3), repeat=2) if i < j)


def star_unpack(t, y):
    first, *rest = y
    return first - sum(rest)


def star_call(t, y):
    return (lambda a, b, c: a * b - c)(*y)


def kwargs_call(t, y):
    return helper(y, scale=t)


def default_argument(t, y, k=3.0, v=np.array([1.0, 2.0, 3.0])):
    return k * y + v


def keyword_only(t, y, *, k=1.25):
    return k * y


def inner_function(t, y):
    def rate(v):
        return K * v if v > 0 else -v

    return np.array([rate(v) for v in y[:2]])


def closure_chain(t, y):
    def outer(a):
        def inner(b):
            return a * b + K

        return inner

    return outer(y[0])(y[1])


def nonlocal_inside(t, y):
    total = 0.0

    def add(v):
        nonlocal total
        total += v

    for v in y:
        add(v)
    return total


def recursion(t, y):
    def power(x, n):
        return 1.0 if n == 0 else x * power(x, n - 1)

    return power(y[0], 5)


def walrus(t, y):
    return (s := y.sum()) * s


def swap(t, y):
    a, b = y[0], y[1]
    a, b = b, a
    return [a, b]


def augmented_scalar(t, y):
    s = y[0]
    s += 1
    s *= t
    s -= y[1]
    s /= 2
    s **= 2
    return s


def list_building(t, y):
    out = []
    for v in y:
        out.append(v * 2)
    out.insert(0, t)
    return np.array(out)


def list_sorting(t, y):
    return sorted(y)[-1] - sorted(y)[0]


def sorted_reverse(t, y):
    return sorted([y[0], y[1]], reverse=True)


def sorted_key(t, y):
    return sorted([y[0], y[1]], key=lambda v: -v)[0]


def max_min(t, y):
    return [max(y), min(y), max(0.0, y[0]), min(y[0], y[1], t)]


def max_default(t, y):
    return max([], default=y[0])


def max_key(t, y):
    return max([y[0], y[1]], key=abs)


def any_all(t, y):
    return (1.0 if any(v > 0.5 for v in y) else 0.0) + (2.0 if all(v > -1 for v in y) else 0.0)


def in_tuple(t, y):
    return 1.0 if round(y[0]) in (0, 1) else y[1]


def abs_round(t, y):
    return [abs(y[0]), round(y[1], 2), pow(y[0], 2), divmod(y[0], 0.3)[0]]


def int_value(t, y):
    return int(10 * t) * y[0]


def bool_value(t, y):
    return bool(y[0] > 0) * 1.0


def float_casts(t, y):
    return [float(y[1]), -float(y[0]), float(t)]


def isinstance_checks(t, y):
    if isinstance(y, np.ndarray) and isinstance(t, (int, float)) and not isinstance(y, list):
        return y * t
    return None


def type_checks(t, y):
    return y if type(y) is np.ndarray and type(t) in (float, np.float64) else -y


def hasattr_check(t, y):
    return y.sum() if hasattr(y, "shape") else y


def try_division(t, y):
    try:
        r = float(y[0]) / float(y[1] - y[1])
    except ZeroDivisionError:
        r = -1.0
    return r


def try_log(t, y):
    try:
        return math.log(y[0])
    except ValueError:
        return -99.0


def try_finally(t, y):
    s = y[0]
    try:
        s = s * 2
    finally:
        s = s + 1
    return s


def try_constant(t, y):
    try:
        return {}["missing"] * y[0]
    except KeyError:
        return y[1]


def with_errstate(t, y):
    with np.errstate(divide="ignore"):
        return 1 / (y + 3)


def math_functions(t, y):
    x = y[0]
    return [math.sin(x), math.exp(x), math.atan2(x, t), math.hypot(x, t), math.log1p(x * x), math.pi, math.fabs(x)]


def math_more(t, y):
    x = y[0]
    return [
        math.tanh(x),
        math.floor(x),
        math.ceil(x),
        math.copysign(t, x),
        math.degrees(x),
        math.erf(x),
        math.pow(t, 1.5),
    ]


def math_misc(t, y):
    return [math.fsum(y), math.prod(y), math.dist([t, 0.0], [y[0], 1.0]), math.isclose(y[0], y[1]) * 1.0]


def math_gamma(t, y):
    return math.gamma(t + 1) + math.lgamma(t + 2)


def imported_name(t, y):
    return root(abs(y[0])) + root(4)


def import_inside(t, y):
    import math as m

    import numpy as numeric
    from numpy import cos

    return numeric.sin(y) * m.exp(t) + cos(y)


def complex_python(t, y):
    z = complex(y[0], y[1])
    return [z.real, z.imag, abs(z), (z * z.conjugate()).real]


def complex_math(t, y):
    z = cmath.exp(1j * y[0])
    return [z.real, z.imag, cmath.phase(z)]


def complex_result(t, y):
    return y * 1j + t


def global_list(t, y):
    return y * TABLE[1] + NESTED["a"]["k"] * NESTED["b"][0]


def loop_over_global(t, y):
    return sum(k * v for k, v in zip(TABLE, y))


def dict_return(t, y):
    return {"a": y[0], "b": [y[1], t]}


def tuple_return(t, y):
    return y[0], y[1:]


def scalar_return(t, y):
    return y[0] * t


def constant_return(t, y):
    return [1.0, 2]


def mixed_return(t, y):
    return [y[1], 0]


def lambda_expression(t, y):
    return (lambda s: s**2 + 1)(y)


def conditional_function(t, y):
    f = np.sin if y[0] > 0 else np.cos
    return f(t)


def string_option(t, y, mode="fast"):
    return {"fast": lambda v: v, "slow": lambda v: -v}[mode](y)


def assert_constant(t, y):
    assert y.shape == (3,), "shape"
    return y


def match_statement(t, y, mode="b"):
    match mode:
        case "a":
            return y
        case "b":
            return 2 * y


def conditional_mutation(t, y):
    d = np.zeros(3)
    if y[0] > 0:
        d[0] = y[1]
    else:
        d[1] = y[0]
    d[2] += 1
    return d


def saturate(t, y):
    out = []
    for v in y:
        out.append(v if v < 0.5 else 0.5)
    return np.array(out)


def bisection(t, y):
    lo, hi = 0.0, 2.0
    for _ in range(5):
        mid = 0.5 * (lo + hi)
        if mid * mid > abs(t):
            hi = mid
        else:
            lo = mid
    return lo


def format_constant(t, y):
    key = f"k{1}"
    return {"k1": 2.0}[key] * y


def int_floor_div(t, y):
    n = len(y) // 2
    return y[n] * (7 % 4) - y[0] // 0.3 + y[1] % 0.7


def python_floor_mod(t, y):
    return [t // 0.7, t % 0.7, -t // 0.7, -t % 0.7, divmod(t, 0.7)]


CASES = {n: f for n, f in list(globals().items()) if callable(f) and getattr(f, "__module__", "") == __name__}
for _name in ("helper", "twice"):
    CASES.pop(_name)
