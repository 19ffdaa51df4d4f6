"""What every capability needs: database, clock, vault, audit, outbox, guards. Imports no capability."""
