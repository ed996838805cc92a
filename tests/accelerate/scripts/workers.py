"""Worker processes, forked after SciPy has been used."""

import multiprocessing

import numpy as np
from scipy import linalg


def volume(n):
    return round(float(linalg.det(np.eye(3) * n)), 6)


if __name__ == "__main__":
    print(volume(2))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(volume, range(1, 5)))
