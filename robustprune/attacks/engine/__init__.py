"""One recipe against one victim or several: built from TextAttack's classes, watched, and cancelled when asked."""
