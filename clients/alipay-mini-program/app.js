App({
  // 扫码和链接带来的参数只交给应用，不交给页面；页面打开时来取。
  asked: {},
  onShow (options) {
    this.asked = (options && options.query) || {}
  }
})
