"""What leads do about customers: see who is one person, link and unlink, vouch, send codes, erase. It answers nobody."""
