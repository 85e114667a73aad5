"""Where clauses, calls and portals meet: what the tests of the suite are written with, and what runs them."""
