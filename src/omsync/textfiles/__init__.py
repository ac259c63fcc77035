"""Files of text as people and partners exchange them: strict CSV tables, and replacing a file as a whole."""
