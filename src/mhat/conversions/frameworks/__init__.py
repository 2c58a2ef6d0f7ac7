"""What is known of each framework: a file each, plain data, with the version it was seen in.

    torch, optax, keras, keras2, tensorflow, sklearn, numpy

It knows no other framework's file, and imports no framework.
"""
