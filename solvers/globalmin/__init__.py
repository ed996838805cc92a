"""Global minimisation, by populations and by random walks."""

from solvers.globalmin.basin_hopping import HoppingResult, basin_hopping
from solvers.globalmin.differential_evolution import DifferentialEvolution, EvolutionResult, differential_evolution
from solvers.globalmin.direct import Direct, DirectResult, direct
from solvers.globalmin.dual_annealing import AnnealingResult, DualAnnealing, dual_annealing
from solvers.globalmin.homology import HomologyResult, homology, sampled

__all__ = [
    "AnnealingResult",
    "DifferentialEvolution",
    "Direct",
    "DirectResult",
    "DualAnnealing",
    "EvolutionResult",
    "HomologyResult",
    "HoppingResult",
    "basin_hopping",
    "differential_evolution",
    "direct",
    "dual_annealing",
    "homology",
    "sampled",
]
