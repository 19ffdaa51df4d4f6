"""The Alipay service-window platform (支付宝服务窗), played from its public documents."""
