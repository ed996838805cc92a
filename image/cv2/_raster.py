"""Which pixels a shape covers: lines, polygons, discs and arcs with known corners, as a mask. OpenCV's pixels.

Coordinates are whole numbers, or fixed-point with 16 bits behind the point ("fine"). Scan conversion of polygons:
J. D. Foley, A. van Dam, S. K. Feiner, J. F. Hughes, "Computer graphics: principles and practice", 2nd ed., 1990,
section 3.6; lines: J. E. Bresenham, "Algorithm for computer control of a digital plotter", IBM Systems J. 4(1), 1965.
"""

import numpy as np

BITS = 16
ONE = 1 << BITS
HALF = ONE >> 1

# sines of whole degrees with the seven decimals that OpenCV keeps of them
_SINES = np.round(np.sin(np.deg2rad(np.arange(451.0))), 7).astype(np.float32).astype(float)


def octant(radius):
    """For every step aside the distance along the other axis, from the axis to the diagonal."""
    along, aside, error, found = radius, 0, 0, []
    while along >= aside:
        found.append(along)
        error += 2 * aside + 1
        aside += 1
        if error > 0:
            error -= 2 * along - 1
            along -= 1
    return np.array(found, np.int32)


def disc_widths(radius):
    """Reach of a filled circle in each row above or below its centre."""
    half = octant(radius)
    aside = np.arange(len(half), dtype=np.int32)
    width = np.full(radius + 1, -1, np.int32)
    np.maximum.at(width, aside, half)
    np.maximum.at(width, half, aside)
    return width


def _towards_zero(a, b):
    """Integer division as C does it."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def clip_line(width, height, first, second):
    """The part of a line inside an image, by OpenCV's truncated division: ``(x1, y1, x2, y2, inside)``."""
    right, bottom = width - 1, height - 1
    x1, y1, x2, y2 = (int(v) for v in (*first, *second))

    def sides(x, y):
        return (x < 0) + (x > right) * 2 + (y < 0) * 4 + (y > bottom) * 8

    def cut(a, num, den):
        return a + int(float(num) * float(a_over) / float(den)) if den else a

    c1, c2 = sides(x1, y1), sides(x2, y2)
    if not c1 & c2 and c1 | c2:
        if c1 & 12:
            a_over = x2 - x1
            to = 0 if c1 < 8 else bottom
            x1, y1 = cut(x1, to - y1, y2 - y1), to
            c1 = (x1 < 0) + (x1 > right) * 2
        if c2 & 12:
            a_over = x2 - x1
            to = 0 if c2 < 8 else bottom
            x2, y2 = cut(x2, to - y2, y2 - y1), to
            c2 = (x2 < 0) + (x2 > right) * 2
        if not c1 & c2 and c1 | c2:
            if c1:
                a_over = y2 - y1
                to = 0 if c1 == 1 else right
                x1, y1 = to, cut(y1, to - x1, x2 - x1)
                c1 = 0
            if c2:
                a_over = y2 - y1
                to = 0 if c2 == 1 else right
                x2, y2 = to, cut(y2, to - x2, x2 - x1)
                c2 = 0
    return x1, y1, x2, y2, not c1 | c2


class Raster:
    """A mask that shapes are drawn into.

    Attributes
    ----------
    mask : bool array (height, width)
    """

    def __init__(self, height, width):
        self.mask = np.zeros((height, width), bool)
        self.height, self.width = height, width

    def _put(self, x, y):
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        self.mask[y[inside], x[inside]] = True

    def _span(self, y, first, last):
        """Row `y` from column `first` to `last`, clipped."""
        if first < self.width and last >= 0:
            self.mask[y, max(first, 0) : last + 1] = True

    def line(self, first, second):
        """A line one pixel wide between whole points: the pixel nearest to it at each step of the longer side."""
        x1, y1, x2, y2, inside = clip_line(self.width, self.height, first, second)
        if not inside:
            return
        if x2 < x1:
            x1, y1, x2, y2 = x2, y2, x1, y1
        across, down = x2 - x1, abs(y2 - y1)
        major, minor = max(across, down), min(across, down)
        n = np.arange(major + 1)
        aside = np.maximum(2 * minor * n + major - 1, 0) // max(2 * major, 1)
        sign = -1 if y2 < y1 else 1
        x, y = (aside, n) if down > across else (n, aside)
        self.mask[y1 + sign * y, x1 + x] = True

    def fine_line(self, first, second):
        """A line one pixel wide between fine points: fixed-point steps along the longer side."""
        x1, y1, x2, y2, inside = clip_line(self.width << BITS, self.height << BITS, first, second)
        if not inside:
            return
        dx, dy = x2 - x1, y2 - y1
        across = abs(dx) > abs(dy)
        if (dx if across else dy) < 0:
            x1, y1, x2, y2, dx, dy = x2, y2, x1, y1, -dx, -dy
        self._put(np.array([(x2 + HALF) >> BITS]), np.array([(y2 + HALF) >> BITS]))
        if across:
            n = np.arange(((x2 - x1) >> BITS) + 1)
            self._put(((x1 + HALF) >> BITS) + n, (y1 + HALF + n * _towards_zero(dy << BITS, dx | 1)) >> BITS)
        else:
            n = np.arange(((y2 - y1) >> BITS) + 1)
            self._put((x1 + HALF + n * _towards_zero(dx << BITS, dy | 1)) >> BITS, ((y1 + HALF) >> BITS) + n)

    def disc(self, center, radius):
        """A filled circle around a whole point."""
        x, y = center
        for step, width in enumerate(disc_widths(radius).tolist()):
            for row in {y - step, y + step}:
                if 0 <= row < self.height and width >= 0:
                    self._span(row, x - width, x + width)

    def thick_line(self, first, second, thickness, caps, shift):
        """A line of any width, with round ends at the `caps` (0 and 1)."""
        if thickness > 1 and not shift:  # first cut off a little outside, which bends it
            ends = [(x + thickness, y + thickness) for x, y in (first, second)]
            x1, y1, x2, y2, inside = clip_line(self.width + 2 * thickness, self.height + 2 * thickness, *ends)
            if not inside:
                return
            first, second = (x1 - thickness, y1 - thickness), (x2 - thickness, y2 - thickness)
        (x1, y1), (x2, y2) = ((int(x) << (BITS - shift), int(y) << (BITS - shift)) for x, y in (first, second))
        if thickness <= 1:
            self.line(*(((x + HALF) >> BITS, (y + HALF) >> BITS) for x, y in ((x1, y1), (x2, y2))))
            return
        dx, dy = (x1 - x2) / ONE, (y2 - y1) / ONE
        odd, half = thickness & 1, thickness << (BITS - 1)
        length = dx * dx + dy * dy
        if length > np.finfo(float).eps:
            r = (half + odd * ONE * 0.5) / np.sqrt(length)
            a, b = int(np.rint(dy * r)), int(np.rint(dx * r))
            corners = [(x1 + a, y1 + b), (x1 - a, y1 - b), (x2 - a, y2 - b), (x2 + a, y2 + b)]
            self.convex(corners, BITS)
        for cap, (x, y) in enumerate(((x1, y1), (x2, y2))):
            if cap in caps:
                self.disc(((x + HALF) >> BITS, (y + HALF) >> BITS), (half + HALF) >> BITS)

    def curve(self, points, closed, thickness, shift):
        """Straight pieces between successive points."""
        points = [tuple(p) for p in points]
        start = points[-1] if closed else points[0]
        caps = {1} if closed else {0, 1}
        for p in points if closed else points[1:]:
            self.thick_line(start, p, thickness, caps, shift)
            start, caps = p, {1}

    def convex(self, points, shift):
        """A filled polygon whose boundary meets each row twice at the most."""
        points = [(int(x), int(y)) for x, y in points]
        fine = [(x << (BITS - shift), y << (BITS - shift)) for x, y in points]
        for k in range(len(points)):
            if shift:
                self.fine_line(fine[k - 1], fine[k])
            else:
                self.line(points[k - 1], points[k])
        near = (1 << shift) >> 1
        rows = [(y + near) >> shift for _, y in points]
        columns = [(x + near) >> shift for x, _ in points]
        if len(points) < 3 or max(columns) < 0 or max(rows) < 0:
            return
        if min(columns) >= self.width or min(rows) >= self.height:
            return
        top = min(range(len(points)), key=lambda k: points[k][1])
        for y, left, right in _convex_spans(rows, [x for x, _ in fine], top, self.height):
            self._span(y, left, right)

    def polygons(self, curves, shift, offset=(0, 0)):
        """Filled polygons; where several overlap, what an odd number of them covers."""
        edges = []
        for curve in curves:
            edges += self._edges(curve, shift, offset)
        if len(edges) < 2:
            return
        y0, y1, x, dx = (np.array(v, np.int64) for v in zip(*edges, strict=True))
        ends = x + (y1 - y0) * dx
        lowest, highest = np.minimum(x, ends).min(), np.maximum(x, ends).max()
        if y1.max() < 0 or y0.min() >= self.height or highest < 0 or lowest >= self.width << BITS:
            return
        # all crossings of edges with rows, in their order along each row: between two of them is inside
        first, last = np.maximum(y0, 0), np.minimum(y1, self.height)
        count = np.maximum(last - first, 0)
        rows = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - first, count)
        crossings = np.repeat(x, count) + (rows - np.repeat(y0, count)) * np.repeat(dx, count)
        order = np.lexsort((crossings, rows))
        rows, left, right = rows[order][::2], crossings[order][::2] + ONE - 1, crossings[order][1::2]
        for span in zip(rows.tolist(), (left >> BITS).tolist(), (right >> BITS).tolist(), strict=True):
            self._span(*span)

    def _edges(self, curve, shift, offset):
        """Draw the outline, and list its edges that are not level: ``(y0, y1, x at y0, slope)``."""
        near = offset[1] + ((1 << shift) >> 1)
        points = [((int(x) + offset[0]) << (BITS - shift), (int(y) + near) >> shift) for x, y in curve]
        found = []
        for (xa, ya), (xb, yb) in zip(points[-1:] + points[:-1], points, strict=True):
            first, second = ((xa + HALF) >> BITS, ya), ((xb + HALF) >> BITS, yb)
            self.line(first, second)
            (top_a, top_b), (near_a, near_b) = (ya, yb), (first[0], second[0])
            if any(not (0 <= x < self.width and 0 <= y < self.height) for x, y in (first, second)):
                near_a, y1, near_b, y2, _ = clip_line(self.width, self.height, first, second)
                if y1 != y2:
                    top_a, top_b = y1, y2
            fine_a, fine_b = (near_a << BITS, top_a), (near_b << BITS, top_b)
            if ya == yb:
                continue
            slope = _towards_zero(fine_b[0] - fine_a[0], fine_b[1] - fine_a[1])
            if ya < yb:
                found.append((ya, yb, fine_a[0] + (ya - fine_a[1]) * slope, slope))
            else:
                found.append((yb, ya, fine_b[0] + (yb - fine_b[1]) * slope, slope))
        return found

    def ellipse(self, center, axes, angle, start, end, thickness):
        """An arc around a fine point, one piece for a few degrees; filled where `thickness` is negative."""
        width, height = (abs(int(v)) for v in axes)
        size = (max(width, height) + HALF) >> BITS
        delta = 90 if size < 3 else 30 if size < 10 else 18 if size < 15 else 5
        points = [(int(x), int(y)) for x, y in _fine(arc(center, (width, height), angle, start, end, delta))]
        points = [p for k, p in enumerate(points) if k == 0 or p != points[k - 1]]
        if len(points) == 1:
            points = [tuple(center)] * 2
        if thickness >= 0:
            self.curve(points, False, thickness, BITS)
        elif end - start >= 360:
            self.convex(points, BITS)
        else:
            self.polygons([[*points, center]], BITS)


def _fine(points):
    """Rounded as OpenCV does it: to whole pixels first, then the rest."""
    whole = np.rint(points / ONE).astype(np.int64) << BITS
    return whole + np.rint(points - whole).astype(np.int64)


def _convex_spans(rows, columns, top, height):
    """``(row, first, last)`` between two chains of edges that go down from the corner `top`."""
    count = len(rows)
    budget, y, last = count, rows[top], min(max(rows), height - 1)
    place, until = [top, top], [y, y]
    x, slope, step = [-ONE, -ONE], [0, 0], [1, count - 1]
    while y <= last:
        for i in (0, 1):
            if y < until[i]:
                continue
            here = place[i]
            after = (here + step[i]) % count
            while budget > 0:
                budget -= 1
                if rows[after] > y:
                    down = rows[after] - y
                    x[i], until[i], place[i] = columns[here], rows[after], after
                    slope[i] = _towards_zero((columns[after] - columns[here]) * 2 + down, 2 * down)
                    break
                here, after = after, (after + step[i]) % count
            else:
                return
        if y >= 0:
            low, high = (1, 0) if x[0] > x[1] else (0, 1)
            yield y, (x[low] + HALF) >> BITS, (x[high] + HALF) >> BITS
        x = [x[0] + slope[0], x[1] + slope[1]]
        y += 1


def arc_directions(angle, start, end, delta):
    """Cosine and sine of `angle`, and of every `delta` degrees from `start` to `end`, both included: (2,), (n, 2)."""
    angle = angle % 360 if angle < 0 else angle - 360 * max(-(-(angle - 360) // 360), 0)
    start, end = min(start, end), max(start, end)
    if start < 0:
        turns = -(start // 360)
        start, end = start + 360 * turns, end + 360 * turns
    if end > 360:
        turns = -(-(end - 360) // 360)
        start, end = start - 360 * turns, end - 360 * turns
    if end - start > 360:
        start, end = 0, 360
    places = np.minimum(np.arange(start, end + delta, delta), end)
    places = np.where(places < 0, places + 360, places)
    return np.array([_SINES[450 - angle], _SINES[angle]]), np.stack([_SINES[450 - places], _SINES[places]], axis=1)


def arc_points(center, axes, rotation, directions, xp=np):
    """Points of an elliptic arc in the directions of `arc_directions`: float array (n, 2)."""
    x, y = axes[0] * directions[:, 0], axes[1] * directions[:, 1]
    cosine, sine = rotation[0], rotation[1]
    return xp.stack([center[0] + x * cosine - y * sine, center[1] + x * sine + y * cosine], axis=1)


def arc(center, axes, angle, start, end, delta):
    """Points of an elliptic arc every `delta` degrees, its end included: float array (n, 2)."""
    found = arc_points(center, axes, *arc_directions(angle, start, end, delta))
    return found if len(found) != 1 else np.array([center, center], float)
