"""Texts with labels: the data sets that calls take by name, and the tables that people bring."""
