"""Filters, morphology and measurements of an image."""

import numpy as np
from scipy import ndimage
from scipy.ndimage import gaussian_filter

y, x = np.mgrid[:64, :64]
image = np.sin(x / 5.0) * np.cos(y / 7.0) + (np.hypot(x - 30, y - 20) < 8)
smooth = gaussian_filter(image, 2)
print(smooth[::16, ::16].round(6).tolist())
edges = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1))
print(round(float(edges.max()), 6), ndimage.uniform_filter(image, 5)[10, 10].round(7))
labels, count = ndimage.label(image > 0.8)
print(count, ndimage.sum_labels(image, labels, range(1, count + 1)).round(4).tolist())
print(ndimage.zoom(image, 0.25, order=1).round(5)[3].tolist())
print(ndimage.binary_erosion(image > 0.5).sum(), ndimage.distance_transform_edt(image > 0.5).max().round(6))
print(
    ndimage.median_filter(image, 3)[5, :4].round(6).tolist(), ndimage.rotate(image, 30, reshape=False)[32, 30].round(5)
)
