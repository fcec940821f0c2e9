"""What an attack knows about language: synonyms, word classes, sentence similarity; which there are, and how they are loaded."""
