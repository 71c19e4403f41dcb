"""Faces over HTTP: they parse, authorise, call the application and render; no rule lives here."""
