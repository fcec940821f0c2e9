"""Files, the store, errors, messages, the log and rates. Nothing here knows what a model is."""
