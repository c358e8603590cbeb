"""The command line. Only here is anything printed, and only here do errors become exit codes."""
