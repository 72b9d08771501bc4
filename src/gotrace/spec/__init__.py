"""Facts as data: what the format says, in tables that all the rest reads."""
