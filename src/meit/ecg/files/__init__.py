"""Any file -> Recording: recognised by what it holds, read within bounds."""
