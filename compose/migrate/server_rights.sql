-- Nobody but the owner has business in the databases that a server comes with, where nothing
-- keeps people from large objects and tables of a session, which fill the disk past every budget.
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
