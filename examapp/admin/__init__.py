"""The back office's frame: menu, home pages, set-up, settings, health; and the pages of the rooms that lie below sign-in.

Messages and audit lie below people, so they cannot ask who is signed in: their pages stand here, in `routes/` and `admin_routes/`, under
their own names (`messages.…`, `messages_admin.…`, `audit_admin.…`), and what they do lies in their rooms.
"""
