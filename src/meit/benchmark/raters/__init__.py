"""People and language models who rate drafts on one rubric."""
