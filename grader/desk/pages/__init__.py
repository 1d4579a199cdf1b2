"""Shows pages: each module reads a request, and renders what it asks for."""
