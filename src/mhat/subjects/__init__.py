"""What comes in: an implementation of any kind, seen as gradients in, parameters out.

subject                 the contract
kinds                   what kind of thing it is, and who makes a subject of it
functions, classes      somebody's own code, in this process (calls: the ways in which a step wants to be called)
scripts/                plain scripts, rewritten and run in a process of their own
commands                any language, by JSON lines (processes: how they are run and ended)
records                 runs that were written down; nobody can drive them
rules                   rules of mhat
torch, optax, keras     optimizers of a framework, imported when it is used

spelling                knobs under the names that others give them
trials                  which shapes it takes, found by trying
sandbox                 somebody's own code, run quietly and for a limited time
"""
