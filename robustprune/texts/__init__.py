"""Texts with labels: the data sets that are known by name, and the tables that users upload."""
