"""Code that was not written for mhat, driven as it is: one calling convention a file, each confirmed by a trial.

choosing        the conventions, and which one it is, by trying
proposals       what a convention proposes; where arrays enter a subject and leave it
roles, texts    what the names of arguments, and the text around them, say
"""
