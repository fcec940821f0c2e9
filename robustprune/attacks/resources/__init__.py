"""The language resources of attacks (synonyms, word classes, sentence similarity): which are available, and how they are loaded."""
