"""What crosses the border to banks and payment systems. One protocol, several gateways, one contract test."""
