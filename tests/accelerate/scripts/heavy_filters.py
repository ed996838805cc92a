"""Large filters over a stack of images: denoise, take the background off, find edges."""

import sys

import numpy as np
from scipy import ndimage

rng = np.random.default_rng(0)
size = int(sys.argv[1]) if len(sys.argv) > 1 else 200
frame = rng.random((size, size))
total = np.zeros(4)
for k in range(30):
    clean = ndimage.median_filter(frame + 0.01 * k, 5)
    smooth = ndimage.gaussian_filter(clean, 6.0)
    spots = ndimage.white_tophat(clean, size=15)
    gradient = ndimage.gaussian_gradient_magnitude(smooth, 3.0)
    total += [smooth.mean(), gradient.max(), spots.mean(), ndimage.uniform_filter(smooth, 15)[100, 100]]
print(total.round(5))
