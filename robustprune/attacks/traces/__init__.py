"""Traces: the steps of an attack on one text, as a data structure, as a file on disk, and as frames for replay."""
