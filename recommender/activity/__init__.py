"""What people did since the model was trained: by person, and taken together."""
