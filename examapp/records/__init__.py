"""Study in the room, certificates, and each person's study record (学法档案); above the figures, below the duties."""
