from groups.management.commands.import_members import ImportCommand
from groups.services.membership_columns import MEMBERSHIP_COLUMNS
from groups.services.membership_files import import_memberships


class Command(ImportCommand):
    help = "Add, change and end memberships from a CSV, XLSX, XLS or ODS file in the format of the export."
    service = staticmethod(import_memberships)
    columns = MEMBERSHIP_COLUMNS
