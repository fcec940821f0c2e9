"""Training of dense classifiers."""
