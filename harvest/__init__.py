"""Going out and bringing home: tags and images from Commons, ISA, SPARQL and lists; datasets to learn from."""
