"""What answers were worth: judged by what people did after them, for each model version."""
