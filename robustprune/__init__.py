"""RobustPrune: prune a language model and see what happens to its robustness.

Every action of the app and the command line is one call of :mod:`robustprune.lab`. Importing this package loads neither torch nor textattack.
"""

__version__ = "0.1.0"
