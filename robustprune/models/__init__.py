"""Classifiers: found by name, checked, loaded, run, and written in a smaller form."""
