"""RobustPrune: prune a language model and see what happens to its robustness.

Everything a person can do is one call of :mod:`robustprune.lab`; importing the package loads neither torch nor textattack.
"""

__version__ = "0.1.0"
