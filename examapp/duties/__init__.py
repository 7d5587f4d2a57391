"""Who teaches which law to whom (谁执法谁普法): responsibility lists a year and unit, fulfilment records, ledger, calendar."""
