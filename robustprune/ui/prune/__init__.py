"""The parts of the prune page: its settings, and the downloads of a finished run."""
