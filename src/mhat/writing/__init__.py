"""Answers in words: passages, and the dresses they are set in.

    passages    what an answer is made of
    plain       as lines of plain text, each with its tone
    html        as HTML for notebooks
    sheet       as an HTML page that needs nothing else
    markdown    as Markdown
    latex       as a LaTeX document

It knows nothing that is said, and no terminal.
"""
