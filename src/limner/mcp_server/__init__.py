"""The MCP door: Streamable HTTP in both protocol eras, one endpoint per edition."""
