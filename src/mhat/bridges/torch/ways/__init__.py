"""How a bucket of tensors is stepped: each way in a file of its own, and the choice among them.

way      what all ways have in common
kernel   the fused kernel on the CPU, by `columns` of tensors that are read through the `layout` of this build of torch
eager    operation after operation, on any device: it always works
choice   the first that takes a bucket, and why none before it did
"""
