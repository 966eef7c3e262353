"""What is true everywhere: records, errors, settings, polite HTTP, names, the store and its log, linked data out."""
