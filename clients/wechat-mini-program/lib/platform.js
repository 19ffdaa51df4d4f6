// 与支付宝小程序不同的只在这里：两边的名字和用法一样，里面各用各的接口。
function define (data, methods) {
  // 页面写成 Component，以便自动化测试。
  Component({ data, methods })
}

// 答 {status, data}；没有答上来时以 {timedOut} 拒绝。
function request (asked) {
  return new Promise((resolve, reject) => {
    wx.request({
      url: asked.url,
      method: asked.method,
      data: asked.body,
      header: asked.headers,
      timeout: asked.timeoutMs,
      dataType: 'json',
      success: answer => resolve({ status: answer.statusCode, data: answer.data }),
      fail: reason => reject({ timedOut: /time\s*-?out/i.test((reason && reason.errMsg) || '') })
    })
  })
}

// 传一个文件；正文是文字，自己读。
function upload (asked) {
  return new Promise((resolve, reject) => {
    wx.uploadFile({
      url: asked.url,
      filePath: asked.file,
      name: 'file',
      header: asked.headers,
      timeout: asked.timeoutMs,
      success: answer => resolve({ status: answer.statusCode, data: parsed(answer.data) }),
      fail: reason => reject({ timedOut: /time\s*-?out/i.test((reason && reason.errMsg) || '') })
    })
  })
}

function parsed (text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return text
  }
}

// 拍照或从相册选，手机先压缩；不选就是一张也没有。
function choosePhotos (most) {
  return new Promise(resolve => {
    wx.chooseMedia({
      count: most,
      mediaType: ['image'],
      sizeType: ['compressed'],
      success: answer => resolve(answer.tempFiles.map(one => one.tempFilePath)),
      fail: () => resolve([])
    })
  })
}

// 一次性登录 code；没有时为空。
function authCode (timeoutMs) {
  return new Promise((resolve, reject) => {
    wx.login({ timeout: timeoutMs, success: answer => resolve(answer.code || ''), fail: reject })
  })
}

// 居民点了“授权手机号”，微信给出一次性 code；不同意时为空。
function phoneCode (event) {
  return Promise.resolve((event.detail && event.detail.code) || '')
}

function ask (title, words, yes) {
  return new Promise(resolve => {
    wx.showModal({ title, content: words, confirmText: yes, success: answer => resolve(answer.confirm), fail: () => resolve(false) })
  })
}

function askConsent (templates) {
  return new Promise(resolve => {
    if (!templates.length || !wx.requestSubscribeMessage) return resolve()
    wx.requestSubscribeMessage({ tmplIds: templates.slice(0, 3), complete: () => resolve() })
  })
}

module.exports = {
  NAME: '微信',
  KIND: 'wechat_mini',
  // 申办渠道代码。
  CASE_CHANNEL: '3',
  define,
  request,
  upload,
  choosePhotos,
  authCode,
  phoneCode,
  ask,
  askConsent,
  // 扫小程序码进来时，参数在页面的 scene 里。
  opened: query => query || {},
  read: key => wx.getStorageSync(key),
  keep: (key, value) => wx.setStorageSync(key, value),
  forget: key => wx.removeStorageSync(key),
  open: url => wx.navigateTo({ url }),
  replace: url => wx.redirectTo({ url }),
  openTab: url => wx.switchTab({ url }),
  // 返回上一页；没有上一页就去 tab。
  back: tab => wx.navigateBack({ fail: () => wx.switchTab({ url: tab }) }),
  copy: text => wx.setClipboardData({ data: text }),
  call: number => wx.makePhoneCall({ phoneNumber: number })
}
