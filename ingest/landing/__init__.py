"""From a batch of lines to rows, with their offsets, in one transaction."""
