// 与微信小程序不同的只在这里：两边的名字和用法一样，里面各用各的接口。
function define (data, methods) {
  Page(Object.assign({ data }, methods))
}

// my.request 的错误号：等得太久，回答的是错误状态。
const TIMED_OUT = 13
const HTTP_ERROR = 19

function parsed (data) {
  if (typeof data !== 'string') return data
  try {
    return JSON.parse(data)
  } catch (error) {
    return data
  }
}

// 答 {status, data}；没有答上来时以 {timedOut} 拒绝。
function request (asked) {
  const headers = {}
  // 平台按小写找 content-type，没有就自己加一个。
  Object.keys(asked.headers).forEach(name => { headers[name.toLowerCase()] = asked.headers[name] })
  return new Promise((resolve, reject) => {
    my.request({
      url: asked.url,
      method: asked.method,
      data: asked.body,
      headers,
      timeout: asked.timeoutMs,
      // 要 json 时，读不懂的正文只剩一个错误号；要文字，自己读。
      dataType: 'text',
      success: answer => resolve({ status: answer.status, data: parsed(answer.data) }),
      // 不是 200 的回答也到这里来，201 和 204 也是。
      fail: reason => {
        const { error, status, data } = reason || {}
        // 旧的基础库在 status 里放错误号。
        if (status >= 100) resolve({ status, data: parsed(data) })
        else if (error === HTTP_ERROR) resolve({ status: 500, data: '' })
        else reject({ timedOut: error === TIMED_OUT || status === TIMED_OUT })
      }
    })
  })
}

// 传一个文件；201 的回答可能到 fail 里来。
function upload (asked) {
  return new Promise((resolve, reject) => {
    my.uploadFile({
      url: asked.url,
      filePath: asked.file,
      fileName: 'file',
      fileType: 'image',
      header: asked.headers,
      timeout: asked.timeoutMs,
      success: answer => resolve({ status: answer.statusCode, data: parsed(answer.data) }),
      fail: reason => {
        const { error, statusCode, data } = reason || {}
        if (statusCode >= 100) resolve({ status: statusCode, data: parsed(data) })
        else reject({ timedOut: error === TIMED_OUT })
      }
    })
  })
}

// 拍照或从相册选，手机先压缩；不选就是一张也没有。
function choosePhotos (most) {
  return new Promise(resolve => {
    my.chooseImage({
      count: most,
      sizeType: ['compressed'],
      success: answer => resolve(answer.tempFilePaths || answer.apFilePaths || []),
      fail: () => resolve([])
    })
  })
}

// 一次性登录 code；没有时为空。auth_base 只给编号，不给昵称头像。
function authCode () {
  return new Promise((resolve, reject) => {
    my.getAuthCode({ scopes: 'auth_base', success: answer => resolve(answer.authCode || ''), fail: reject })
  })
}

// 居民点了“授权手机号”，支付宝给出封好、签了名的报文，原样交给大厅；不同意时为空。
function phoneCode () {
  return new Promise(resolve => {
    my.getPhoneNumber({ success: answer => resolve(answer.response || ''), fail: () => resolve('') })
  })
}

function ask (title, words, yes) {
  return new Promise(resolve => {
    my.confirm({
      title, content: words, confirmButtonText: yes, cancelButtonText: '取消', success: answer => resolve(answer.confirm), fail: () => resolve(false)
    })
  })
}

function askConsent (templates) {
  return new Promise(resolve => {
    if (!templates.length || !my.requestSubscribeMessage) return resolve()
    my.requestSubscribeMessage({ entityIds: templates.slice(0, 3), complete: () => resolve() })
  })
}

// 页面没有自己的参数时，用打开小程序时的参数，只用一次。
function opened (query) {
  if (query && Object.keys(query).length) return query
  const app = getApp()
  const asked = app.asked
  app.asked = {}
  return asked
}

function back (tab) {
  if (getCurrentPages().length > 1) my.navigateBack()
  else my.switchTab({ url: tab })
}

// 选一天，答“2026-11-22”的样子；不选就没有下文。
function pickDate (current) {
  return new Promise(resolve => {
    my.datePicker({
      format: 'yyyy-MM-dd',
      currentDate: current || undefined,
      startDate: '1900-01-01',
      endDate: '2100-12-31',
      success: answer => resolve(answer.date)
    })
  })
}

// 组件告诉用它的页面：页面给的函数是组件的 props。
function tell (component, name, detail) {
  const heard = component.props[name]
  if (heard) heard({ detail })
}

module.exports = {
  NAME: '支付宝',
  KIND: 'alipay_mini',
  // 申办渠道代码。
  CASE_CHANNEL: '4',
  define,
  request,
  upload,
  choosePhotos,
  authCode,
  phoneCode,
  ask,
  askConsent,
  opened,
  read: key => my.getStorageSync({ key }).data,
  keep: (key, value) => my.setStorageSync({ key, data: value }),
  forget: key => my.removeStorageSync({ key }),
  open: url => my.navigateTo({ url }),
  replace: url => my.redirectTo({ url }),
  openTab: url => my.switchTab({ url }),
  back,
  copy: text => my.setClipboard({ text }),
  call: number => my.makePhoneCall({ number }),
  pickDate,
  tell
}
