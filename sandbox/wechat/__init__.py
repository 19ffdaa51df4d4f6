"""The WeChat official-account platform (微信公众平台), played from its public documents."""
