"""Reports on checks: kept as JSON, shown as a view model. Pure: no Flask, no database."""
