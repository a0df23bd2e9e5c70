"""Does a draft save time? Readings with a draft and from a blank sheet, assigned at random, timed and compared."""
