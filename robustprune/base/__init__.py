"""Files, the store, errors, messages, the log and rates. Nothing in this package depends on models."""
