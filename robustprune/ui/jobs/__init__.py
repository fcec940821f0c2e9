"""Background jobs: the queue that all sessions share, the panel that shows one of them, and the memory that a finished job gives back."""
