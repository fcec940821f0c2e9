"""Benchmarks that measure, on the current machine, what the program claims about its speed and its errors."""
