-- How many series each selector of the SLIs over metrics finds.
SELECT sli AS series, role, count() AS found FROM (/*series_selected*/) GROUP BY series, role
