"""What people did since the model was trained: by person, and taken together.

Reads rows that landed; it knows neither requests nor answers.
"""
