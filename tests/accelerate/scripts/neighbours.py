"""Trees, hulls and clusters."""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial import ConvexHull, KDTree
from scipy.spatial.distance import cdist, pdist

rng = np.random.default_rng(3)
points = rng.random((30, 2))
print(KDTree(points).query([0.5, 0.5], k=2)[1], round(ConvexHull(points).volume, 6))
print(pdist(points)[:3].round(6), cdist(points[:2], points[2:4]).round(6).tolist())
print(np.bincount(fcluster(linkage(points, "ward"), 3, "maxclust"))[1:].sum())
