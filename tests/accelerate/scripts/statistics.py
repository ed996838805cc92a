"""Distributions and tests."""

import numpy as np
from scipy import stats

rng = np.random.default_rng(5)
a, b = rng.normal(0, 1, 100), rng.normal(0.4, 1, 100)
result = stats.ttest_ind(a, b)
print(round(float(result.statistic), 8), round(float(result.pvalue), 8))
print(stats.norm.cdf([-1, 0, 1]).round(8), np.round(stats.gamma(2.0).ppf([0.1, 0.9]), 8))
print(np.round(stats.norm.fit(a), 6), np.round(stats.linregress(a, b)[:2], 6))
print(np.round(stats.pearsonr(a, b)[0], 8), np.round(stats.ks_2samp(a, b).pvalue, 8))
