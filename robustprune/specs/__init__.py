"""What can be asked for, as frozen values that check themselves. A spec is what a link carries and what the store is keyed by."""
