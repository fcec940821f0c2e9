"""The harness of trust: everything that could break the program, done to it on purpose. ``python -m tests.trust`` runs it all."""
