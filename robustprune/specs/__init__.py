"""Specs: the settings of every request, as frozen dataclasses that check themselves. A link carries a spec, and store keys are made from it."""
