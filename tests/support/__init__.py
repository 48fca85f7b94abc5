"""What tests share: invented records, servers and samples."""
