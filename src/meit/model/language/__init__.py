"""Language models: their table, their architectures, how they are loaded, adapted and quantised."""
