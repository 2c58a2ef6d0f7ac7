"""A rule as a method of `scipy.optimize.minimize`.

minimizer   the method, and one minimization by it
options     what `minimize` hands on, read and checked
objective   the function to be minimized, asked and counted
descent     the loop: step, look, tell, and when to end
"""

from mhat.bridges.scipy.minimizer import method

__all__ = ["method"]
