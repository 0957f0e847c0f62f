//! Mini front end: source text to AST. Knows nothing of bytecode or values.
