"""Benchmarks: what the program claims about its speed and its errors, measured anew on the machine at hand."""
