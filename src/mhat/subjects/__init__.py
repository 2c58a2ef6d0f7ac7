"""What comes in: an implementation of any kind, seen as gradients in, parameters out.

subject                 the contract
definitions, modules    what the text of a user's file says of it, and the file run, with its own neighbours
kinds                   what kind of thing it is, and who makes a subject of it
functions, classes      somebody's own code (calls: the ways in which a step wants to be called)
conventions/            code that was not written for mhat: how it wants to be called, found by trying
scripts/                plain scripts, rewritten
commands                any language, by JSON lines
records                 runs that were written down; nobody can drive them
rules                   rules of mhat
torch, optax, keras     optimizers of a framework, imported when it is used (framework: what they share)

processes/              a process of its own for whatever is named by text, and its end

spelling                knobs under the names that others give them
trials                  which shapes it takes, found by trying
sandbox, clock          somebody's own code, run quietly and for a limited time
"""
