"""Files that people bring: known kinds only, checked by what is in them, kept under the data folder, given out with ranges.

The owning room decides who may put and who may get; it keeps the `stored_files.id` in a row of its own. In order of use:
`storing.store_file` for a small file at once, `resuming` for one that comes in pieces, `serving.serve_file` to give it out,
`sweeping.sweep_uploads` for what was begun and left.
"""
