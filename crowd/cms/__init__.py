"""The way back into a museum's collection management system, safe to do twice.

In: what people accepted of images, the museum's own last export, a profile (TOML) that says what the system calls its
fields. Out: an import file with the difference alone, the file that takes it back, a report.

``determinations`` what goes out and whom it is of; ``notes`` the readable form that carries everything and is read back
``joins``          which object a file shows
``profile``        what one system calls things (``profilefile`` reads it); ``terms`` what its thesaurus calls a taxon
``table``          the export as a table that can be written again byte for byte; ``holdings`` what it holds of whom
``delta``          what to add, what is there, in conflict, to take back; ``entries`` that as rows to import
``formats``        CSV, grouped adlibXML, tagged; ``importing`` what the system makes of them
``delivery``       all of it, with its ``report``; ``earlier`` what such a report says of an import done before
"""
