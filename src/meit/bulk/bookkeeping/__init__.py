"""What was drafted, of which files, by what: so that a run goes on where another ended."""
