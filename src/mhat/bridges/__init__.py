"""Ways in and out of mhat: what the user names on the command line is found here (`find`)."""
