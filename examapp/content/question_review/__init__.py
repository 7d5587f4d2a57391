"""Review, activation, correction, deletion and bulk edits of questions; what the syllabus lacks."""
