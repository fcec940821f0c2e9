"""The texts that pages show, in the language of the session."""
