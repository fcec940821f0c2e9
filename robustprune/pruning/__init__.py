"""The pruning engine: layer-wise pruning in which every layer adapts to the error of the layers before it (Li et al. 2023)."""

# Increased whenever a change gives other numbers for the same spec. Stored runs of an older engine are then computed again.
ENGINE_VERSION = 2
