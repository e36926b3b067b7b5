"""Persons and their screens, kept on this machine in one SQLite database."""

from fitmotion_models.fms.records.database import RecordsError, default_path, open_database
from fitmotion_models.fms.records.records import Records
from fitmotion_models.fms.records.values import Grade, Person, Session

__all__ = ["Grade", "Person", "Records", "RecordsError", "Session", "default_path", "open_database"]
