"""A phone in the browser: accounts, chats, menus and a web view, drawn from what the platforms hold."""
