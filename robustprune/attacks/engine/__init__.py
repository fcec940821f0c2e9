"""Runs one recipe against one or several victims. Attacks are built from TextAttack's classes, recorded, and cancelled on request."""
