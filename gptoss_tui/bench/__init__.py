"""`gptoss bench`: this engine beside mlx-lm's `generate_step`, on the same model, in one process, in turns.

The only part of the program that imports mlx-lm, converting aside. `plan` says what is measured, `sides` are the two
engines behind one interface, `measure` plays them against each other, `bandwidth` and `roofline` set that against the
memory's speed, `interface` runs the screen in a terminal, `report` writes down what came of it.
"""
