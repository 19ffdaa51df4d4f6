App({
  // 扫码和链接带来的参数只交给应用，不交给页面；页面打开时来取。
  asked: {},
  onLaunch (options) { this.remember(options) },
  // 在后台的小程序又被打开。
  onShow (options) { this.remember(options) },
  remember (options) {
    if (options && options.query) this.asked = options.query
  }
})
