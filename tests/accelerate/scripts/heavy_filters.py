"""Large filters over a stack of images."""

import sys

import numpy as np
from scipy import ndimage

rng = np.random.default_rng(0)
size = int(sys.argv[1]) if len(sys.argv) > 1 else 300
frame = rng.random((size, size))
total = np.zeros(3)
for k in range(40):
    smooth = ndimage.gaussian_filter(frame + 0.01 * k, 6.0)
    gradient = ndimage.gaussian_gradient_magnitude(smooth, 3.0)
    total += [smooth.mean(), gradient.max(), ndimage.uniform_filter(smooth, 15)[100, 100]]
print(total.round(5))
