"""Global minimisation, by populations and by random walks."""

from solvers.globalmin.basin_hopping import HoppingResult, basin_hopping
from solvers.globalmin.differential_evolution import DifferentialEvolution, EvolutionResult, differential_evolution

__all__ = ["DifferentialEvolution", "EvolutionResult", "HoppingResult", "basin_hopping", "differential_evolution"]
