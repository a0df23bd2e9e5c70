"""Drafting outside of requests: a queue in the station's database, and the processes that work it off."""
