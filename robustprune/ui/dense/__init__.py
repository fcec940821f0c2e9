"""The views of the page about dense models."""
