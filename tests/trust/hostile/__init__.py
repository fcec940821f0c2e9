"""Input by somebody who wants to break the program, or to reach what is not theirs."""
