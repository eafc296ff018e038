"""The two slots: which people go to which, and what each counted. Nothing else of ci enters."""
