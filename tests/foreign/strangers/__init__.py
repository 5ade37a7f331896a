"""Two small CRMs as others write them: leads with one column for a name, and parties in tables that inherit."""
