"""Small drawn parts that know neither services nor snapshots."""
