"""Learning and answering: training, evaluation, decision, and the two faces (HTTP and command line)."""
