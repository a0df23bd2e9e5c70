"""Reports, drafted or signed, in the formats that others read: one table of them."""

from meit.exports.table import FORMATS as FORMATS
