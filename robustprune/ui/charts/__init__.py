"""Figures as pure functions from plain values to Plotly figures; they are tested without a browser."""
