"""渠道账号: WeChat, Alipay and other accounts as rows; their secrets in the vault, their tokens shared."""
