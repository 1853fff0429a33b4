"""The page and API over the committed changes: which titles changed most in the last minutes."""
