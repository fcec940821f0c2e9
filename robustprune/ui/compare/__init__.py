"""The views of the compare page."""
