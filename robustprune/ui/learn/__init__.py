"""The lessons: their content, their numbers, their interactive examples, and the views that show them."""
