"""The parts of `run_dns.py`."""
