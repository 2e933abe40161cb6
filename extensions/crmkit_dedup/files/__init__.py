"""Files of people, companies and deals as they come from spreadsheets and exports: read into rows, answers written."""
