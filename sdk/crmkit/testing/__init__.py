"""What tests of extensions and adapters stand on: MemoryCrm and AdapterContract."""
