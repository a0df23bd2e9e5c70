"""The reading station: recordings come in, drafts are corrected, reports are signed."""
