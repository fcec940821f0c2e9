"""What the prune page is made of: its settings, and what can be downloaded afterwards."""
