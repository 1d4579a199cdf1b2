"""Makes this room a package to pytest, so that its files share a browser and close it when they are done."""
