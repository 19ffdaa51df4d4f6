"""Channel adapters: WeChat, Alipay, third parties. Protocol only: no Flask, no database."""
