"""OUT: datasets on disk or in object storage, the catalog for SQL, the review store."""
