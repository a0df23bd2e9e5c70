"""The tasks of the benchmark: a model, data, and what is written of its drafts."""
