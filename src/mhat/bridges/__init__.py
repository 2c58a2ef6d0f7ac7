"""Ways in and out of mhat: what the user names is found here (`find`), and made a subject of a check.

Functions, classes and rules of mhat are run in this process; scripts and commands in processes of their own;
torch, optax and keras are a file each, which imports the framework when it is used; records nobody can drive.
"""
