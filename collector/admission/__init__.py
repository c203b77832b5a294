"""Who may send, how much, and what is refused when the collector is overloaded."""
