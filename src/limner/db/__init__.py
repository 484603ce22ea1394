"""The database: one small port (`base`), SQLite and PostgreSQL behind it, tables and migrations."""
