"""How a bucket of tensors is stepped: each way in a file of its own, and the choice among them.

way      what all ways have in common
eager    operation after operation, on any device: it always works
choice   the first that takes a bucket, and why none before it did
"""
