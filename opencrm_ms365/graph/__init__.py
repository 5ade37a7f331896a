"""Microsoft's side: one request at a time, and what is built on top of it.

Everything it needs comes through constructors: a token source, a base address (Microsoft's or a simulator's), a
`sleep`. It knows neither Django nor the CRM; it gives and takes values of `records` and raises errors of `errors`.
"""
