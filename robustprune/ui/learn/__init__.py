"""The lessons: their content, their numbers, their toys and the page that shows them."""
