"""The sandbox: WeChat, Alipay, a phone and the departments' pages, played on this machine.

It shares no code with the hall. What it knows of the platforms' protocols it writes a second time, so that an
adapter that gets on with it has been proved against something it was not written with.
"""
