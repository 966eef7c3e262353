"""What a model's numbers are worth: calibration, strangers, ranks, words, prediction sets, priors. Pure NumPy."""
