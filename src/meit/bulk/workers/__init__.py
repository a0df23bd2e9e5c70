"""What drafts: processes of this machine or of a cluster, and how recordings are handed out to them."""
