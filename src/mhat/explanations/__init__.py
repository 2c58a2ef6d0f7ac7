"""Why a rule moves as it moves: claims, each with its evidence.

    assembly        an explanation put together, section by section
    explanation     what it is, and how it shows itself
    claims          what is claimed, with what right
    evidence        how to see it again
    consequences    from a mistake to what becomes of it
    lines           what each line is for, and what happens without it
    numbers         numbers that mean something
    questions       what people ask again and again
    lawfulness      which laws are kept, and with what right it is said
    neighbours      the rule of the library that stands next to one

It knows no rule by name, no subject, no drawing and no terminal.
"""
