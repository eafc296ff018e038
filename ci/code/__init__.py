"""Releases of code: carried as those of models, while whoever has the engine recreates slots."""
