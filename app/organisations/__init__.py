"""机构与人员: regions, bodies, schedules of the notice, staff, roles and scopes, sign-in."""
