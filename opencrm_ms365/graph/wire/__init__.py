"""Translation between Microsoft's JSON and our records: pure, one module for each record type."""
