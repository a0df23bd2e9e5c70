"""Any number of recordings drafted into a folder: resumed, by several processes or machines, each recording once."""
