"""Each form in which findings are told is one file: it renders what was found, and decides nothing.

A file of this shelf has one function, `render(report)`. `words` is what the files share.
"""
