"""Where recordings and reports come from: a module a source, each of which plans what `meit prepare` makes."""
