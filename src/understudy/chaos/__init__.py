"""A configuration among fakes whose every connection may fail: what customers would see of it. Nothing real is reached."""
