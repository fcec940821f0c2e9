"""Classifiers: finds them by name, checks, loads and runs them, and writes them in a compressed format."""
