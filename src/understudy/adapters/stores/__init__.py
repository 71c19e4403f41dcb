"""Where records are kept: one implementation in portable SQL, on SQLite and on PostgreSQL."""
