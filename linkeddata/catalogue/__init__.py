"""What is published here, described for machines that look for data: schema.org, DCAT 3 and VoID.

In: what the settings, the campaign files and the home folder say (``holdings``), and the store. Out: documents of the
catalogue, of each dataset with its versions and files, of each campaign (``documents``), and their routes (``routes``).
"""
