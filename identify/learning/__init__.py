"""Learning: how a dataset becomes a model. Begin with ``training.py``; ``tensors.py`` alone imports TensorFlow."""
