"""An English ECG report -> coded statements: SCP-ECG codes with certainty, territory and age.

What is read, and as what, is data (reports/statement_*.tsv):

    codes          SCP-ECG as in PTB-XL, with those of AHA, aECG, CDISC and DICOM
    abbreviations  short forms -> the words that they stand for, by their neighbours
    spelling       words of which one misspelt letter is mended
    asides         words that tell of something else: a request, a history, another tracing
    patterns       wordings of a finding -> its code
    territories    walls of the heart, and the code that an infarction, ischemia or injury has there
    modifiers      words that make a finding possible, excluded, old, ...

Statements say what the text says of this ECG, not what the ECG shows and not what an annotator made of it.
"""

from meit.reports.statements.coding import CERTAINTIES, Code, Reading, SentenceReading, Statement, codes, report_words
from meit.reports.statements.reader import asserted, read, read_sentences, read_statements
from meit.reports.statements.walls import LEAD_GROUPS, leads_of

__all__ = [
    "CERTAINTIES",
    "LEAD_GROUPS",
    "Code",
    "Reading",
    "SentenceReading",
    "Statement",
    "asserted",
    "codes",
    "leads_of",
    "read",
    "read_sentences",
    "read_statements",
    "report_words",
]
