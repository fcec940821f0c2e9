"""Dense against sparse: what the two models look at."""
