"""The pruning engine: layer-wise pruning in which every layer adapts to the error of the layers before it (Li et al. 2023)."""

# Raised whenever a change makes the same spec give other numbers: stored runs of an older engine are then computed anew.
ENGINE_VERSION = 2
