"""Rules of events and certificates, pure: the room's codes, what a certificate says and how it is drawn, rates of study."""
