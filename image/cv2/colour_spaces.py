"""The colour spaces of `cvtColor`: HSV, HLS, XYZ, L*a*b*, L*u*v*, YCrCb, YUV, Bayer mosaics.

Every function takes and gives separate planes; integers follow OpenCV's scales and, where it calculates in fixed
point, its fixed point. Ranges of floats: RGB, S, V, L of HLS, X, Y, Z in 0..1, hue in degrees, L* in 0..100.
"""

import numpy as np
from jax import numpy as jnp

from image.cv2._support import saturate
from sci.ndimage._kernels.borders import pad_axis

_EPS = float(np.finfo(np.float32).eps)
# ITU-R BT.709 primaries, white point D65
_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_FROM_XYZ = np.array(
    [[3.240479, -1.53715, -0.498535], [-0.969256, 1.875991, 0.041556], [0.055648, -0.204043, 1.057311]]
)
_WHITE = np.array([0.950456, 1.0, 1.088754])
_LINEAR_BELOW = 0.008856  # of Y: the CIE's linear part


def _levels(x):
    return np.iinfo(x.dtype).max


def _is_integer(x):
    return x.dtype.kind in "iu"


def _unit(x):
    """A plane as floats in 0..1."""
    return x.astype(np.float32) * np.float32(1 / _levels(x)) if _is_integer(x) else x


def _quantised(x, dtype, levels=255.0):
    return saturate(x * np.float32(levels), dtype) if np.dtype(dtype).kind in "iu" else x.astype(dtype)


def _divided(numerator, divisor):
    """``round(numerator / divisor)``, 0 for a divisor of 0; single precision is exact for the three numerators used.

    OpenCV has tables for this; a division is vectorised, a gather is not.
    """
    quotient = np.float32(numerator) / jnp.maximum(divisor, 1).astype(np.float32)
    return jnp.where(divisor == 0, 0, jnp.round(quotient).astype(np.int32))


def _hue(r, g, b, top, step):
    """Hue from the largest channel, in multiples of 60 degrees times `step`."""
    return jnp.where(top == r, (g - b) * step, jnp.where(top == g, (b - r) * step + 120, (r - g) * step + 240))


def rgb_to_hsv(r, g, b, full):
    top, low = jnp.maximum(jnp.maximum(r, g), b), jnp.minimum(jnp.minimum(r, g), b)
    if _is_integer(r):
        turn = 256 if full else 180
        r, g, b, v, low = (k.astype(np.int32) for k in (r, g, b, top, low))
        spread = v - low
        s = (spread * _divided(255 << 12, v) + (1 << 11)) >> 12
        h = jnp.where(v == r, g - b, jnp.where(v == g, b - r + 2 * spread, r - g + 4 * spread))
        h = (h * _divided((turn << 12) / 6.0, spread) + (1 << 11)) >> 12
        return saturate(jnp.where(h < 0, h + turn, h), top.dtype), s.astype(top.dtype), top
    spread = top - low
    s = spread / (jnp.abs(top) + _EPS)
    h = _hue(r, g, b, top, 60 / (spread + _EPS))
    return jnp.where(h < 0, h + 360, h), s, top


def _sector(h, full, integer):
    """Hue as a sector of six and the place in it."""
    turn = (255.0 if full else 180.0) if integer else 360.0
    h = h.astype(np.float32) if integer else h
    h = (h * np.asarray(6.0 / turn, h.dtype)) % 6
    sector = jnp.floor(h)
    return sector.astype(np.int32) % 6, h - sector


def _by_sector(sector, choices):
    """Select among six expressions."""
    result = choices[5]
    for k in range(4, -1, -1):
        result = jnp.where(sector == k, choices[k], result)
    return result


def hsv_to_rgb(h, s, v, full):
    dtype = v.dtype
    sector, t = _sector(h, full, _is_integer(v))
    s, v = _unit(s), _unit(v)
    p, q, u = v * (1 - s), v * (1 - s * t), v * (1 - s * (1 - t))
    r = _by_sector(sector, [v, q, p, p, u, v])
    g = _by_sector(sector, [u, v, v, q, p, p])
    b = _by_sector(sector, [p, p, u, v, v, q])
    return tuple(_quantised(k, dtype) for k in (r, g, b))


def rgb_to_hls(r, g, b, full):
    dtype = r.dtype
    integer = _is_integer(r)
    r, g, b = _unit(r), _unit(g), _unit(b)
    top, low = jnp.maximum(jnp.maximum(r, g), b), jnp.minimum(jnp.minimum(r, g), b)
    spread, total = top - low, top + low
    light = total * 0.5
    coloured = spread > _EPS
    below = jnp.where(light < 0.5, total, 2 - total)
    s = jnp.where(coloured, spread / jnp.where(coloured, below, 1), 0)
    h = jnp.where(coloured, _hue(r, g, b, top, 60 / jnp.where(coloured, spread, 1)), 0)
    h = jnp.where(h < 0, h + 360, h)
    if not integer:
        return h, light, s
    turn = 255 if full else 180  # not the 256 of HSV
    h = jnp.round(h * np.float32(turn / 360))
    return saturate(h, dtype), _quantised(light, dtype), _quantised(s, dtype)


def hls_to_rgb(h, light, s, full):
    dtype = light.dtype
    sector, t = _sector(h, full, _is_integer(light))
    light, s = _unit(light), _unit(s)
    p = jnp.where(light <= 0.5, light * (1 + s), light + s - light * s)
    q = 2 * light - p
    down, up = q + (p - q) * (1 - t), q + (p - q) * t
    r = _by_sector(sector, [p, down, q, q, up, p])
    g = _by_sector(sector, [up, p, p, down, q, q])
    b = _by_sector(sector, [q, q, up, p, p, down])
    grey = s == 0
    return tuple(_quantised(jnp.where(grey, light, k), dtype) for k in (r, g, b))


def _mixed(planes, matrix, bits=12):
    """Three planes times a matrix; integers in fixed point."""
    if _is_integer(planes[0]):
        # 16-bit samples times 12-bit weights need 31 bits with the sign
        fixed, dtype = np.rint(matrix * 2.0**bits).astype(np.int32), planes[0].dtype
        wide = [k.astype(np.int32) for k in planes]
        rows = [sum(int(w) * k for w, k in zip(row, wide, strict=True)) for row in fixed]
        return tuple(saturate((row + (1 << (bits - 1))) >> bits, dtype) for row in rows)
    return tuple(sum(np.asarray(w, k.dtype) * k for w, k in zip(row, planes, strict=True)) for row in matrix)


def rgb_to_xyz(r, g, b):
    return _mixed((r, g, b), _TO_XYZ)


def xyz_to_rgb(x, y, z):
    return _mixed((x, y, z), _FROM_XYZ)


def _expanded(x):
    """sRGB's gamma undone, for x in 0..1."""
    steep = x > 0.04045
    return jnp.where(steep, ((jnp.where(steep, x, 1.0) + 0.055) / 1.055) ** 2.4, x / 12.92)


def _compressed(x):
    """sRGB's gamma, for x in 0..1."""
    steep = x > 0.0031308
    return jnp.where(steep, 1.055 * jnp.where(steep, x, 1.0) ** (1 / 2.4) - 0.055, 12.92 * x)


def _linear(r, g, b, srgb):
    planes = [jnp.clip(_unit(k), 0, 1) for k in (r, g, b)]
    return [_expanded(k) for k in planes] if srgb else planes


def _displayed(planes, srgb, dtype):
    planes = [jnp.clip(k, 0, 1) for k in planes]
    return tuple(_quantised(_compressed(k) if srgb else k, dtype) for k in planes)


def _lightness(y):
    steep = y > _LINEAR_BELOW
    return jnp.where(steep, 116 * jnp.cbrt(jnp.where(steep, y, 1.0)) - 16, 903.3 * y)


def _lab_bytes(r, g, b, srgb):
    """L*a*b* of uint8 in OpenCV's fixed point: 11 bits of linear light, 12-bit weights, 15-bit cube roots."""
    light = [jnp.round((_expanded(_unit(k)) if srgb else _unit(k)) * 2040).astype(np.int32) for k in (r, g, b)]
    weights = np.rint(_TO_XYZ / _WHITE[:, None] * 4096).astype(np.int32)
    roots = []
    for row in weights:
        t = ((sum(int(w) * k for w, k in zip(row, light, strict=True)) + 2048) >> 12).astype(np.float32) / 2040
        steep = t >= _LINEAR_BELOW
        root = jnp.where(steep, jnp.cbrt(jnp.where(steep, t, 1.0)), 7.787 * t + 16 / 116)
        roots.append(jnp.round(root * 32768).astype(np.int32))
    fx, fy, fz = roots
    half = 1 << 14
    lightness = (296 * fy - (16 * 255 * 32768 + 50) // 100 + half) >> 15
    a, b = (500 * (fx - fy) + (128 << 15) + half) >> 15, (200 * (fy - fz) + (128 << 15) + half) >> 15
    return tuple(saturate(k, np.uint8) for k in (lightness, a, b))


def rgb_to_lab(r, g, b, srgb):
    if r.dtype == np.uint8:
        return _lab_bytes(r, g, b, srgb)
    linear = _linear(r, g, b, srgb)
    x, y, z = _mixed(linear, _TO_XYZ / _WHITE[:, None])

    def f(t):
        steep = t > _LINEAR_BELOW
        return jnp.where(steep, jnp.cbrt(jnp.where(steep, t, 1.0)), 7.787 * t + 16 / 116)

    fx, fy, fz = f(x), f(y), f(z)
    return _lightness(y), 500 * (fx - fy), 200 * (fy - fz)


def lab_to_rgb(lightness, a, b, srgb):
    dtype = lightness.dtype
    if _is_integer(lightness):
        lightness, a, b = (k.astype(np.float32) for k in (lightness, a, b))
        lightness, a, b = lightness * np.float32(100 / 255), a - 128, b - 128
    dark = lightness <= _LINEAR_BELOW * 903.3
    y = jnp.where(dark, lightness / 903.3, ((lightness + 16) / 116) ** 3)
    fy = jnp.where(dark, 7.787 * y + 16 / 116, (lightness + 16) / 116)

    def inverse(f):
        return jnp.where(f <= 7.787 * _LINEAR_BELOW + 16 / 116, (f - 16 / 116) / 7.787, f * f * f)

    x, z = inverse(a / 500 + fy), inverse(fy - b / 200)
    return _displayed(_mixed((x, y, z), _FROM_XYZ * _WHITE), srgb, dtype)


_U_WHITE = float(4 * _WHITE[0] / (_WHITE @ [1, 15, 3]))
_V_WHITE = float(9 * _WHITE[1] / (_WHITE @ [1, 15, 3]))


def rgb_to_luv(r, g, b, srgb):
    dtype = r.dtype
    x, y, z = _mixed(_linear(r, g, b, srgb), _TO_XYZ)
    lightness = _lightness(y)
    share = 1 / jnp.maximum(x + 15 * y + 3 * z, _EPS)
    u, v = 13 * lightness * (4 * x * share - _U_WHITE), 13 * lightness * (9 * y * share - _V_WHITE)
    if np.dtype(dtype).kind == "f":
        return lightness, u, v
    return (
        saturate(lightness * 2.55, dtype),
        saturate((u + 134) * (255 / 354), dtype),
        saturate((v + 140) * (255 / 262), dtype),
    )


def luv_to_rgb(lightness, u, v, srgb):
    dtype = lightness.dtype
    if _is_integer(lightness):
        lightness, u, v = (k.astype(np.float32) for k in (lightness, u, v))
        lightness, u, v = lightness * np.float32(100 / 255), u * (354 / 255) - 134, v * (262 / 255) - 140
    bright = lightness >= 8
    y = jnp.where(bright, ((lightness + 16) / 116) ** 3, lightness / 903.3)
    # 3 L (13 u' ...) as fractions of the white point, bounded where L is almost zero
    up = 3 * (u + 13 * lightness * _U_WHITE)
    vp = v + 13 * lightness * _V_WHITE
    vp = jnp.where(vp == 0, jnp.inf, 0.25 / jnp.where(vp == 0, 1, vp))
    vp = jnp.clip(vp, -0.25, 0.25)
    x = 3 * up * vp * y
    z = (156 * lightness - up) * vp * y - 5 * y
    if np.dtype(dtype).kind in "iu":  # colours that no light has
        x, z = jnp.clip(x, 0, 2), jnp.clip(z, 0, 2)
    return _displayed(_mixed((x, y, z), _FROM_XYZ), srgb, dtype)


# difference signals: 14-bit weights and weights of floats, for YCrCb and for YUV
_FORWARD = {"ycrcb": ((11682, 9241), (0.713, 0.564)), "yuv": ((14369, 8061), (0.877, 0.492))}
_BACK = {
    "ycrcb": ((22987, -11698, -5636, 29049), (1.403, -0.714, -0.344, 1.773)),
    "yuv": ((18678, -9519, -6472, 33292), (1.140, -0.581, -0.395, 2.032)),
}


def rgb_to_difference(r, g, b, kind):
    """Luma and the differences of red and blue: (Y, Cr, Cb), or (Y, U, V) with U of blue."""
    fixed, real = _FORWARD[kind]
    if _is_integer(r):
        dtype = r.dtype
        middle = (_levels(r) // 2 + 1) << 14
        r, g, b = (k.astype(np.int32) for k in (r, g, b))
        y = (r * 4899 + g * 9617 + b * 1868 + (1 << 13)) >> 14
        red = ((r - y) * fixed[0] + middle + (1 << 13)) >> 14
        blue = ((b - y) * fixed[1] + middle + (1 << 13)) >> 14
        y, red, blue = (saturate(k, dtype) for k in (y, red, blue))
    else:
        y = 0.299 * r + 0.587 * g + 0.114 * b
        red, blue = (r - y) * real[0] + 0.5, (b - y) * real[1] + 0.5
    return (y, red, blue) if kind == "ycrcb" else (y, blue, red)


def difference_to_rgb(y, red, blue, kind):
    if kind == "yuv":
        red, blue = blue, red
    fixed, real = _BACK[kind]
    if not _is_integer(y):
        red, blue = red - 0.5, blue - 0.5
        return y + red * real[0], y + red * real[1] + blue * real[2], y + blue * real[3]
    dtype, middle = y.dtype, _levels(y) // 2 + 1
    y, red, blue = y.astype(np.int32), red.astype(np.int32) - middle, blue.astype(np.int32) - middle

    def shifted(x):
        return (x + (1 << 13)) >> 14

    rgb = (
        y + shifted(red * fixed[0]),
        y + shifted(red * fixed[1] + blue * fixed[2]),
        y + shifted(blue * fixed[3]),
    )
    return tuple(saturate(k, dtype) for k in rgb)


def demosaiced(src, red_row, red_column):
    """Red, green and blue of a Bayer mosaic by bilinear interpolation; red stands at (red_row, red_column) of 2 x 2.

    The outermost rows and columns repeat their neighbours, as in OpenCV.
    """
    height, width = src.shape
    x = pad_axis(pad_axis(src.astype(np.int32), 0, 1, 1, "mirror"), 1, 1, 1, "mirror")

    def at(i, j):
        return x[1 + i : 1 + i + height, 1 + j : 1 + j + width]

    here = at(0, 0)
    across, down = (at(0, -1) + at(0, 1) + 1) >> 1, (at(-1, 0) + at(1, 0) + 1) >> 1
    cross = (at(0, -1) + at(0, 1) + at(-1, 0) + at(1, 0) + 2) >> 2
    diagonal = (at(-1, -1) + at(-1, 1) + at(1, -1) + at(1, 1) + 2) >> 2
    rows, columns = np.arange(height)[:, None] % 2 == red_row, np.arange(width) % 2 == red_column
    red = jnp.where(rows & columns, here, jnp.where(rows, across, jnp.where(columns, down, diagonal)))
    blue = jnp.where(~rows & ~columns, here, jnp.where(~rows, across, jnp.where(~columns, down, diagonal)))
    green = jnp.where(rows == columns, cross, here)
    inner = (k[1:-1, 1:-1].astype(src.dtype) for k in (red, green, blue))
    return tuple(pad_axis(pad_axis(k, 0, 1, 1, "nearest"), 1, 1, 1, "nearest") for k in inner)
