"""What an attack did to one text, step by step: recorded, written to disk, and prepared for replay."""
