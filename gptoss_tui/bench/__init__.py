"""`gptoss bench`: this engine beside mlx-lm's `generate_step`, on the same model, in one process, in turns.

The only part of the program that imports mlx-lm. `sides` are the two engines behind one interface, `measure` plays them
against each other, `report` writes down what came of it.
"""
