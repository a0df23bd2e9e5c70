"""Who may use the station: accounts, logins, and the token that opens an empty station."""
