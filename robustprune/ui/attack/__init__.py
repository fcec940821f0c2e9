"""The views of the attack page: an attack as it runs, its replay, and words that a person swaps by hand."""
