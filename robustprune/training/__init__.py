"""Training of classifiers: dense ones, and baselines that are pruned while they train."""
